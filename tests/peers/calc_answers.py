"""What Python says: the reference that the calculator is compared to.

Reads "LEFT OPERATOR RIGHT" from standard input, a case a line, and prints its answers with --division exact, float and
floor, with tabs between.
"""

import sys

if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)


def divide(left, right):
    try:
        return repr(left / right)
    except OverflowError:
        return "ERROR result too large for a decimal number"


def answers(left, operator, right):
    if operator == "+":
        return [left + right] * 3
    if operator == "-":
        return [left - right] * 3
    if operator == "*":
        return [left * right] * 3
    if right == 0:
        return ["ERROR division by zero"] * 3
    if operator == "%":
        return [left % right] * 3
    exact = left // right if left % right == 0 else divide(left, right)
    return [exact, divide(left, right), left // right]


for line in sys.stdin:
    left, operator, right = line.split()
    print("\t".join(map(str, answers(int(left), operator, int(right)))))
