/** Programs that a test uses where they are there. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first that can be run: the one that is named, else those names on the PATH; undefined where there is none. */
export function programOnPath(names: readonly string[], named?: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const onPath = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return (named === undefined ? onPath : [named]).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
