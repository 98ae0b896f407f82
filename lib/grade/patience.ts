// How long programs may take, where the command line has to know it before anything is graded.

/** How long a program may take until it listens, in ms, unless it is said. */
export const START_MS = 10_000;

/** How long it may take for each step, in ms, unless it is said. */
export const STEP_MS = 2000;
