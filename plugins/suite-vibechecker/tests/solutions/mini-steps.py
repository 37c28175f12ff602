def main():
    ways = [1, 1, 2]
    for _ in range(int(input())):
        ways = [ways[1], ways[2], sum(ways)]
    print(ways[0])


main()
