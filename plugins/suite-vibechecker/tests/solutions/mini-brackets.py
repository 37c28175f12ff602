PARTNERS = {")": "(", "]": "[", "}": "{"}


def balanced(text):
    pile = []
    for sign in text:
        if sign not in PARTNERS:
            pile.append(sign)
        elif not pile or pile.pop() != PARTNERS[sign]:
            return False
    return not pile


def main():
    print("yes" if balanced(input().strip()) else "no")


main()
