"""The first drawing on a machine compiles the sampler: it is said in one line, once."""

from pixelcnn_core.sampling.cached.compile_cache import announce


def test_it_is_said_once_and_only_where_nothing_is_compiled(tmp_path, capsys):
    announce.cache_clear()
    for _ in range(2):
        announce(str(tmp_path))
    assert capsys.readouterr().err == "the cached sampler is compiled for this machine, once: tens of seconds\n"
    announce.cache_clear()
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "code.nbi").touch()
    announce(str(tmp_path))
    assert capsys.readouterr().err == ""
