/** Options that every command, or every command that loads a model, takes. */
import type { Command } from 'commander';

/** Given to every command. */
export interface CommonOptions {
  json?: boolean;
  library?: string;
}

export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON document on stdout; everything else goes to stderr')
    .option(
      '--library <PATH>',
      'libtensorflow to use: a file, or a folder that holds one (default: TF_SESSION_LIBRARY, ' +
        'what `tf-session install` installed, the system)',
    );
}

/** `serve,gpu` as a list; an empty text is the MetaGraph without tags. */
export function parseTags(text: string): string[] {
  return text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

/** For options that may be given more than once. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
