"""The one place that chooses the device and what it may do: precision, torch.compile.

Drawing and scoring run on a GPU where CUDA has one, else on the CPU; the environment variable PIXELCNN_DEVICE names
another, as "cpu" or "cuda:1". Apple's GPU is not chosen by itself: it has no float64, in which the noise of a sample is
compared with cumulative probabilities. Training takes the device from Accelerate.
"""

import importlib.util
import os
import shutil
import sysconfig
from pathlib import Path

import torch

VARIABLE = "PIXELCNN_DEVICE"


def choose_device(name: str | None = None) -> torch.device:
    """The device called `name`, else by PIXELCNN_DEVICE, else a GPU where there is one, else the CPU.

    Multiplications on it are exact to float32 from here on: `exact_float32`. Raises ValueError for a device that is
    not there.
    """
    device = known_device(name or os.environ.get(VARIABLE) or ("cuda" if torch.cuda.is_available() else "cpu"))
    exact_float32()
    return device


def known_device(name: str | torch.device) -> torch.device:
    """The device called so. Raises ValueError where there is none."""
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"there is no device {str(name)!r} here: {reason}") from error
    return device


def exact_float32() -> None:
    """No TF32: it keeps 10 of the 23 bits, which the likelihoods and the equality of the samplers do not bear."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def fast_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware: most GPUs, and CPUs with AVX512_BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}  # from torch 2.11 on
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def can_compile(device: torch.device) -> bool:
    """Whether torch.compile has what it needs: on a GPU Triton and a card that it knows (Volta or later), on a CPU a
    C++ compiler and the headers of Python."""
    if device.type == "cuda":
        return importlib.util.find_spec("triton") is not None and torch.cuda.get_device_capability(device) >= (7, 0)
    headers = Path(sysconfig.get_paths()["include"], "Python.h")
    return device.type == "cpu" and shutil.which(os.environ.get("CXX", "g++")) is not None and headers.exists()
