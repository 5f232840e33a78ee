"""`python -m pixelcnn_core`: see cli.py."""

from pixelcnn_core.cli import main

if __name__ == "__main__":
    main()
