import { describe, expect, it } from 'vitest';
import { didYouMean, nearNames, TensorFlowError } from '../lib/errors.js';

describe('TensorFlowError', () => {
  it("turns TensorFlow's numbers into their names", () => {
    // tensorflow/c/tf_status.h
    const names = {
      1: 'CANCELLED',
      3: 'INVALID_ARGUMENT',
      4: 'DEADLINE_EXCEEDED',
      9: 'FAILED_PRECONDITION',
      16: 'UNAUTHENTICATED',
    };
    for (const [number, name] of Object.entries(names)) {
      expect(new TensorFlowError(Number(number), 'why').code).toBe(name);
    }
  });

  it('calls codes that it does not know, and OK, UNKNOWN', () => {
    for (const number of [0, 2, 17, 20, -1, 1.5])
      expect(new TensorFlowError(number, 'why').code).toBe('UNKNOWN');
  });

  it('is an Error with a name, a message, a cause and a stack', () => {
    const cause = new Error('deeper');
    const error = new TensorFlowError('INVALID_OPTION', 'why', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'TensorFlowError', message: 'why', code: 'INVALID_OPTION', cause });
    expect(String(error)).toBe('TensorFlowError: why');
    expect(error.stack).toContain('errors.test.ts');
    expect(error.op).toBeUndefined();
  });

  it.each([
    ['indices[1] = 4 is not in [0, 4)\n\t [[{{node scope/pick_row}}]]', 'scope/pick_row'],
    ['x\n\t [[{{function_node __inference_f_12}}{{node a/b}}]]', 'a/b'],
    ['x {{node first}} and {{node second}}', 'first'],
    ['x : Tensor had NaN values\n\t [[Node: a/b = CheckNumerics[T=DT_FLOAT](_arg_x_0_0)]]', 'a/b'],
    ['no op here: {{function_node f}}', undefined],
  ])('finds the op in %j', (message, op) => {
    expect(new TensorFlowError(3, message).op).toBe(op);
  });

  it('takes the op that it is told over the one in the message', () => {
    expect(new TensorFlowError(3, '{{node a}}', { op: 'b' }).op).toBe('b');
  });
});

describe('near names', () => {
  const names = ['serving_default', 'scale', 'measure', 'Scale_1', 'x'];

  it('are those a few letters away, best first, whatever their case', () => {
    expect(nearNames('scal', names)).toEqual(['scale', 'Scale_1']);
    expect(nearNames('SCALE', names)[0]).toBe('scale');
    expect(nearNames('default', names)).toEqual(['serving_default']);
    expect(nearNames('serving_defualt', names)).toEqual(['serving_default']);
  });

  it('are at most three, and none for a name of another kind', () => {
    expect(nearNames('ab', ['aa', 'ac', 'ad', 'ae', 'af'])).toEqual(['aa', 'ac', 'ad']);
    expect(nearNames('something entirely else', names)).toEqual([]);
    expect(nearNames('', names)).toEqual(['x']);
  });

  it('stand in a question, or nothing does', () => {
    expect(didYouMean('scal', names)).toBe(' Did you mean "scale" or "Scale_1"?');
    expect(didYouMean('something entirely else', names)).toBe('');
  });

  it('has no log lines of a server in its message', () => {
    const noise =
      '\n\n=====================\nRecent warning and error logs:\n  W0000 this and that\n  E0000 more';
    expect(new TensorFlowError('NOT_FOUND', `From /job:worker/task:0:\nNo such file${noise}`).message).toBe(
      'From /job:worker/task:0:\nNo such file',
    );
  });
});
