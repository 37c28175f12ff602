import sys


def main():
    text = sys.stdin.readline().lower()
    print(sum(text.count(vowel) for vowel in "aeiou"))


main()
