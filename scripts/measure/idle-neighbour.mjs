// Beside `event-loop.mjs`: a process that only waits for a timer of 1 ms, and says by how much it came too late.
let longest = 0;
let due = performance.now() + 1;
setInterval(() => {
  longest = Math.max(longest, performance.now() - due);
  due = performance.now() + 1;
}, 1).unref();
process.on('message', () => {
  process.send(longest);
  longest = 0;
});
