// A medium that is text: a second of a square wave, in which no byte has its highest bit set. So it can stand in the source, and in the
// folder of a server that is checked.

/** What it is called. */
export const SAMPLE_NAME = "tone.wav";
/** 8-bit mono: samples a second, and in all. No byte of these numbers is above 0x7f. */
const SAMPLE_RATE = 8000;
const SAMPLES = 8000;
/** Of a tone of 400 Hz. */
const PERIOD = SAMPLE_RATE / 400;

/** The file. */
export const SAMPLE: string = wave();

function wave(): string {
  const u32 = (value: number) => String.fromCharCode(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));
  const u16 = (value: number) => u32(value).slice(0, 2);
  const format = u16(1) + u16(1) + u32(SAMPLE_RATE) + u32(SAMPLE_RATE) + u16(1) + u16(8);
  const samples = ("p".repeat(PERIOD / 2) + "P".repeat(PERIOD / 2)).repeat(SAMPLES / PERIOD);
  return `RIFF${u32(36 + SAMPLES)}WAVEfmt ${u32(16)}${format}data${u32(SAMPLES)}${samples}`;
}
