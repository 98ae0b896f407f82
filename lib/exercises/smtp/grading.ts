// What judges programs of this exercise, and the mistakes that its own server can make.

export { bugs } from "./bugs.ts";
export { checks, clientChecks, meeting } from "./checks.ts";
export { makeNotation } from "./notation.ts";
