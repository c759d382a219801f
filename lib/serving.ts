/** Which version of a model serves, and how the next one takes its place. */
import { TensorFlowError } from './errors.js';
import type { CheckedLoad } from './load-options.js';
import { ModelVersion } from './model-version.js';
import { absolutePath } from './saved-model/directory.js';
import { findModel } from './saved-model/versions.js';

export class Serving {
  readonly #load: CheckedLoad;
  #current: ModelVersion;
  /** The one that is getting ready to take over. */
  #next: ModelVersion | undefined;
  /** Those whose last runs have not ended. */
  readonly #retired = new Map<ModelVersion, Promise<void>>();
  /** The last of the reloads, which come one after the other. */
  #reloaded: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(load: CheckedLoad, current: ModelVersion) {
    this.#load = load;
    this.#current = current;
  }

  /** Loads a model; the library is open. */
  static async start(path: string, load: CheckedLoad): Promise<Serving> {
    const version = await ModelVersion.load(await findModel(path, load.version), load);
    try {
      await version.getReady(load.devices);
      return new Serving(load, version);
    } catch (error) {
      await version.close({});
      throw error;
    }
  }

  get current(): ModelVersion {
    return this.#current;
  }

  /**
   * Loads what is at `path` now, by default where the current version came from, and has it take over; after the reloads that
   * were asked for before.
   *
   * @param check throws where the new one lacks what somebody needs; called right before it takes over
   * @returns false where the current version is still the one that is wanted
   */
  reload(
    path: string | undefined,
    wanted: bigint | undefined,
    check: (next: ModelVersion) => void,
  ): Promise<boolean> {
    const reloading = this.#reloaded.then(() => this.#reload(path, wanted, check));
    this.#reloaded = reloading.catch(() => {});
    return reloading;
  }

  async #reload(
    path: string | undefined,
    wanted: bigint | undefined,
    check: (next: ModelVersion) => void,
  ): Promise<boolean> {
    this.#checkOpen();
    const current = this.#current;
    const folder = await findModel(path ?? current.folder.home, wanted);
    const isSame = absolutePath(folder.directory) === absolutePath(current.directory);
    if (isSame && folder.version !== undefined && current.folder.version !== undefined) return false;
    this.#checkOpen();
    const next = await ModelVersion.load(folder, this.#load);
    try {
      this.#next = next;
      // Runs may prepare another device of the current one meanwhile.
      let devices = [...this.#load.devices, ...current.sessions.readyDevices];
      do {
        this.#checkOpen();
        await next.getReady(devices);
        devices = current.sessions.readyDevices.filter((device) => !next.sessions.isReady(device));
      } while (devices.length > 0);
      this.#checkOpen();
      check(next);
    } catch (error) {
      await next.close({ cancel: true });
      throw this.#isClosed ? closedError() : error;
    } finally {
      this.#next = undefined;
    }
    this.#current = next;
    this.#retire(current);
    return true;
  }

  /** From now on runs of users are refused, and none takes over. */
  refuse(): void {
    this.#isClosed = true;
    this.#current.sessions.refuse();
  }

  /** Ends all versions. Nothing is left when it resolves, of a reload that is under way neither. */
  async close(options: { cancel?: boolean }): Promise<void> {
    const retired = [...this.#retired].map(([version, ended]) =>
      // Else what it has begun ends first.
      options.cancel === true ? version.close(options).then(() => ended) : ended,
    );
    await Promise.all([
      this.#current.close(options),
      this.#next?.close({ cancel: true }),
      this.#reloaded,
      ...retired,
    ]);
  }

  #retire(version: ModelVersion): void {
    const ended = version.retire().finally(() => this.#retired.delete(version));
    ended.catch(() => {});
    this.#retired.set(version, ended);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closedError();
  }
}

function closedError(): TensorFlowError {
  return new TensorFlowError('FAILED_PRECONDITION', 'The model is closed, or was while it was reloaded.');
}
