// What a run has used of the machine, by strace's account: programs that were started, files that were opened.

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
];

/**
 * @param {string} log Of `strace -f -y -e trace=execve,open,openat`, in which `-y` writes what a number stands for.
 * @param {readonly string[]} folders Those of the bundle, and of the user's own in which it may write.
 * @returns {{ programs: string[], files: string[], faults: string[] }} What was started and opened outside of these folders; `faults`
 *   are those of them that it has no business with, in sentences.
 */
export function readTrace(log, folders) {
  const isOurs = (path) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  const programs = new Set();
  const files = new Set();
  let ours = 0;
  const calls = /execve\("([^"]+)".*= 0$|open(?:at)?\(.*= \d+<([^>]+)>$/gm;
  for (const [, program, file] of log.matchAll(calls)) {
    if (isOurs(program ?? file)) ours++;
    else if (program !== undefined) programs.add(program);
    else files.add(file);
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
