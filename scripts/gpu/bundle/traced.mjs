// What a run has used of the machine, by strace's account: programs that were started, files that were opened.
import { posix } from 'node:path';

/** All that run-gpu-checks may start outside of the bundle. */
const PROGRAMS = /^(\/usr)?\/bin\/(sh|dash|bash|cat|chmod|mkdir|mv|env)$/;
/** glibc, its settings, the driver; what every program of C asks for; what tells of the machine. */
const FILES = [
  /\/(ld-linux-x86-64|lib(c|m|dl|pthread|rt|util|resolv|nsl|anl|nss_\w+|selinux|acl|attr|pcre2-8|tinfo))\.so(\.[\d.]+)?$/,
  /\/lib(cuda|nvidia-[\w-]+|nvcuvid|dxcore)\.so[\d.]*$/,
  // Node's OpenSSL reads its settings at each start.
  /^\/etc\/(ssl\/openssl\.cnf|ld\.so\.\w+|localtime|nsswitch\.conf|passwd|group|hosts|resolv\.conf|host\.conf|gai\.conf|locale\.alias|timezone)$/,
  /^\/usr\/(share|lib)\/([\w-]+\/)?(zoneinfo|locale|gconv)\//,
  /^\/(dev|proc|sys)(\/|$)/,
  // Where nothing is started, and no library lies.
  /^\/tmp(\/(?!.*\.so(\.[\d.]+)?$).*)?$/,
];

/** By which programs are started and files are opened. */
export const CALLS = 'execve,execveat,open,openat,openat2,creat';
const STRING = /"((?:[^"\\]|\\.)*)"/.source;
const LINES = new RegExp(
  [
    `^execve\\(${STRING}.* = 0$`,
    `^execveat\\([^<]*<([^>]*)>(?:\\(deleted\\))?, ${STRING}.* = 0$`,
    // Not to its end: of a file that is gone strace says so there.
    '^(?:open(?:at2?)?|creat)\\(.* = \\d+<([^>]*)>',
  ].join('|'),
  'gm',
);

/**
 * @param {string} log Of `strace -ff -y -e trace=CALLS`, in which `-y` writes what a number stands for.
 * @param {readonly string[]} folders Those of the bundle, and of the user's own in which it may write.
 * @returns {{ programs: string[], files: string[], faults: string[] }} What was started and opened outside of these folders; `faults`
 *   are those of them that it has no business with, in sentences.
 */
export function readTrace(log, folders) {
  const isOurs = (path) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  const programs = new Set();
  const files = new Set();
  let ours = 0;
  for (const [, started, at, startedAt, opened] of log.matchAll(LINES)) {
    const path = plain(opened ?? started ?? posix.resolve(at, startedAt));
    if (isOurs(path)) ours++;
    else if (opened === undefined) programs.add(path);
    else files.add(path);
  }
  const faults = [
    ...[...programs].filter((path) => !PROGRAMS.test(path)).map((path) => `${path} was started.`),
    ...[...files]
      .filter((path) => !FILES.some((like) => like.test(path)))
      .map((path) => `${path} was opened.`),
    // A log that holds nothing shows nothing.
    ...(ours === 0 ? ['Nothing of the bundle was started or opened.'] : []),
  ];
  return { programs: [...programs].sort(), files: [...files].sort(), faults };
}

/** strace writes `\303\274` for a letter that is not ASCII, and `\"`. */
function plain(text) {
  const bytes = text.replaceAll(/\\(?:([0-7]{1,3})|(.))/g, (_all, octal, other) =>
    octal === undefined ? other : String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
