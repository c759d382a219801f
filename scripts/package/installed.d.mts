export interface Ran {
  status: number;
  output: string;
  stdout: string;
}
export interface InstallOptions {
  manager?: 'npm' | 'pnpm' | 'yarn classic' | 'yarn' | 'yarn pnp';
  ignoreScripts?: boolean;
}
export function install(folder: string, file: string, options?: InstallOptions): Promise<Installed>;
export class Installed {
  readonly project: string;
  manage(...args: string[]): Promise<Ran>;
  bin(...args: string[]): Promise<Ran>;
  node(...args: string[]): Promise<Ran>;
  packageFolder(): Promise<string>;
  use(): Promise<{ version: string; difference: number; addon: string }>;
  buildCommand(): Promise<{ message: string; command: string }>;
  shell(line: string, options?: { tools?: boolean }): Promise<Ran>;
}
