// What judges programs of this exercise, and the mistakes that its own server can make.

export { bugs } from "./bugs.ts";
export { checks, clientChecks } from "./checks.ts";
