import sys


def main():
    lines = (sys.stdin.read() + "\n\n").split("\n")
    numbers = {int(word) for line in lines[:2] for word in line.split()}
    print(*sorted(numbers))


main()
