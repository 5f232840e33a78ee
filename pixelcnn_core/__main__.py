"""`python -m pixelcnn_core`: see cli/main.py."""

from pixelcnn_core.cli.main import main

if __name__ == "__main__":
    main()
