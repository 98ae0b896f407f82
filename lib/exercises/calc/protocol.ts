// The calculator exercise: two integers and an operator in, the result out.
//
//     7 * 6    7*6    * 7 6    7 6 *    7,6,*    → 42
//     7 / 2 → 3.5      -7 % 3 → 2      1 / 0 → ERROR division by zero
//
// Integers have any size up to MAX_DIGITS; a quotient that is no integer is the nearest binary64, written as Python does.

import { truncateText } from "../../protocol/text.ts";
import { errorReply } from "../text.ts";

/** The longest operand, in digits. */
export const MAX_DIGITS = 10_000;
/** The longest request, in bytes: two such operands fit, and one that is too long is recognised as such. */
export const MAX_REQUEST = 65_536;

export const OPERATORS = ["+", "-", "*", "/", "%"] as const;
export type Operator = (typeof OPERATORS)[number];

/** How `/` divides: exactly where it comes out even and else as Python's `/`; always as that; or as Python's `//`. */
export const DIVISIONS = ["exact", "float", "floor"] as const;
export type Division = (typeof DIVISIONS)[number];

/** What can be calculated. */
export interface Operation {
  readonly type: "operation";
  readonly left: bigint;
  readonly operator: Operator;
  readonly right: bigint;
}

/** A request, understood. */
export type Request =
  | Operation
  | { readonly type: "error"; readonly why: string }
  /** Nothing is wrong yet, but something is missing. */
  | { readonly type: "incomplete" };

/** What goes wrong, in the words of the exercise. */
export const refusal = {
  divisionByZero: () => "division by zero",
  notAnInteger: (text: string) => `not an integer: ${truncateText(text, 64)}`,
  operator: () => `operator must be one of ${OPERATORS.join(" ")}`,
  tooLong: () => "number too long",
  tooLarge: () => "result too large for a decimal number",
  incomplete: () => "expected two integers and an operator: 7 * 6",
};

/** What separates the parts: spaces, commas, or both. */
const SEPARATORS = /[\s,]+/;
const COMPACT = /^([+-]?[^\s,+\-*/%]+)\s*([-+*/%])\s*([+-]?[^\s,+\-*/%]+)$/;
/** The same, up to where the second integer begins. */
const BEGUN = /^[+-]?[0-9]+\s*[-+*/%]\s*[+-]?$/;
const INTEGER = /^[+-]?[0-9]+$/;

/** The words of a request. */
function splitParts(text: string): string[] {
  return text.split(SEPARATORS).filter((part) => part !== "");
}

/** Whether an operator stands between two operands, spaces or not. */
function isInfix(text: string): boolean {
  return COMPACT.test(text);
}

function isOperator(text: string): text is Operator {
  return (OPERATORS as readonly string[]).includes(text);
}

/** Whether `words` are one expression: `7 "*" 6`, `7*6`, `4.5 + 1` (the server says what is wrong with that); an address is none. */
export function isExpression(words: readonly string[]): boolean {
  const parts = splitParts(words.join(" "));
  if (!/^[-+*/%\d][^:]*$/.test(parts[0] ?? "")) return false;
  return isInfix(parts.join(" ")) || (parts.length === 3 && parts.some(isOperator));
}

/** Reads a request: the operator may stand between the integers, before or behind them. */
export function parseRequest(text: string): Request {
  const parts = splitParts(text);
  const compact = COMPACT.exec(parts.join(" "));
  if (compact) return operation(compact[1], compact[2], compact[3]);
  if (parts.length < 3) {
    if (BEGUN.test(parts.join(" "))) return { type: "incomplete" };
    const wrong = parts.find((part) => !isOperator(part) && !INTEGER.test(part));
    if (wrong !== undefined) return { type: "error", why: notInteger(wrong) };
    if (parts.length === 2 && !parts.some(isOperator)) return { type: "error", why: refusal.operator() };
    return { type: "incomplete" };
  }
  if (parts.length > 3) return { type: "error", why: refusal.incomplete() };
  const [first, second, third] = parts;
  if (isOperator(second)) return operation(first, second, third);
  if (isOperator(third)) return operation(first, third, second);
  if (isOperator(first)) return operation(second, first, third);
  return { type: "error", why: refusal.operator() };
}

function operation(left: string, operator: string, right: string): Request {
  for (const operand of [left, right]) {
    if (!INTEGER.test(operand)) return { type: "error", why: notInteger(operand) };
    if (operand.replace(/^[+-]/, "").length > MAX_DIGITS) return { type: "error", why: refusal.tooLong() };
  }
  return { type: "operation", left: toBigInt(left), operator: operator as Operator, right: toBigInt(right) };
}

/** An operand that is long and wrong is told so first: nobody wants to see it. */
function notInteger(text: string): string {
  return text.length > MAX_DIGITS ? refusal.tooLong() : refusal.notAnInteger(text);
}

function toBigInt(text: string): bigint {
  const size = BigInt(text.replace(/^[+-]/, ""));
  return text.startsWith("-") ? -size : size;
}

/** What is wrong with a request that is none. */
export function problemOf(request: Exclude<Request, Operation>): string {
  return request.type === "error" ? request.why : refusal.incomplete();
}

/** The answer to a request. */
export function answer(text: string, division: Division): string {
  const request = parseRequest(text);
  return request.type === "operation" ? calculate(request, division) : errorReply(problemOf(request));
}

/** The result, or why there is none, as it is answered. */
export function calculate({ left, operator, right }: Operation, division: Division): string {
  if (operator === "+") return String(left + right);
  if (operator === "-") return String(left - right);
  if (operator === "*") return String(left * right);
  if (right === 0n) return errorReply(refusal.divisionByZero());
  if (operator === "%") return String(floorModulo(left, right));
  if (division === "floor") return String((left - floorModulo(left, right)) / right);
  if (division === "exact" && left % right === 0n) return String(left / right);
  const quotient = divide(left, right);
  return quotient === null ? errorReply(refusal.tooLarge()) : formatFloat(quotient);
}

/** `left % right` with the sign of the divisor, as in Python. */
function floorModulo(left: bigint, right: bigint): bigint {
  const remainder = left % right;
  return remainder !== 0n && (remainder < 0n) !== (right < 0n) ? remainder + right : remainder;
}

/** The largest exponent of a binary64's last place, and the smallest. */
const MAX_ULP = 971;
const MIN_ULP = -1074;

/** The binary64 nearest to `left / right`, ties to even (IEEE 754), or null when it is too large to be one. */
function divide(left: bigint, right: bigint): number | null {
  const negative = (left < 0n) !== (right < 0n);
  const dividend = left < 0n ? -left : left;
  const divisor = right < 0n ? -right : right;
  if (dividend === 0n) return right < 0n ? -0 : 0;
  // 2^exponent <= quotient < 2^(exponent + 1)
  let exponent = bitLength(dividend) - bitLength(divisor);
  if (shifted(dividend, -exponent) < shifted(divisor, exponent)) exponent--;
  const ulp = Math.max(exponent - 52, MIN_ULP);
  if (ulp > MAX_ULP) return null;
  const above = shifted(dividend, -ulp);
  const below = shifted(divisor, ulp);
  let mantissa = above / below;
  const twice = 2n * (above % below);
  if (twice > below || (twice === below && mantissa % 2n === 1n)) mantissa++;
  const size = Number(mantissa) * 2 ** ulp;
  if (size === Infinity) return null;
  return negative ? -size : size;
}

/** `value * 2^bits` for positive `bits`, `value` itself otherwise. */
function shifted(value: bigint, bits: number): bigint {
  return bits > 0 ? value << BigInt(bits) : value;
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return 4 * (hex.length - 1) + (32 - Math.clz32(parseInt(hex[0], 16)));
}

/** A number as Python's `repr` writes it: `3.5`, `2.0`, `1e+16`, `1e-05`. */
function formatFloat(value: number): string {
  const [mantissa, power] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 16) {
    // In this range JavaScript writes the same digits, and no exponent.
    const text = Object.is(value, -0) ? "-0" : String(value);
    return text.includes(".") ? text : `${text}.0`;
  }
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** Whether `text`, without LF and followed by silence, may be taken for a request. */
export function isComplete(text: string): boolean {
  return parseRequest(text).type !== "incomplete";
}
