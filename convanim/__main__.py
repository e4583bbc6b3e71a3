"""`python -m convanim`: the same as the command `convanim`."""

from convanim.cli import main

if __name__ == "__main__":
    main()
