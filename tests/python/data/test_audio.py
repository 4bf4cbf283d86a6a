import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from tinynas.data import DataSet, FolderOptions, load_data
from tinynas.data.audio.features import FrontEnd, mel_bank
from tinynas.data.audio.recordings import fit, read_wave
from tinynas.errors import InputError


def tone(hertz: float, rate: int = 8000, seconds: float = 0.5, level: float = 0.5) -> np.ndarray:
    wave = np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)
    return np.asarray(wave * level * 32767, dtype=np.int16)


def write_tone(file: Path, hertz: float, rate: int = 8000) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(file, rate, tone(hertz, rate))


def load(root: Path, tmp_path: Path, **options: object) -> DataSet:
    return load_data(root, FolderOptions(cache_dir=tmp_path / "cache", **options))  # type: ignore[arg-type]


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    for digit in range(3):
        for speaker, pitch in (("ann", 1.0), ("bob", 1.3)):
            for n in range(12):
                file = tmp_path / "fsdd" / "recordings" / f"{digit}_{speaker}_{n}.wav"
                write_tone(file, pitch * (300 * (digit + 1) + 5 * n))
    return tmp_path / "fsdd"


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    root = tmp_path / "speech_commands"
    words = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go", "bed", "cat"]
    for i, word in enumerate(words):
        for n in range(8):
            write_tone(root / word / f"{n:08x}_nohash_0.wav", 200 + 97 * i + n, 16000)
    noise = np.random.default_rng(0).integers(-3000, 3000, 16000 * 15)
    (root / "_background_noise_").mkdir()
    wavfile.write(root / "_background_noise_" / "white_noise.wav", 16000, noise.astype(np.int16))
    (root / "validation_list.txt").write_text("".join(f"{w}/00000000_nohash_0.wav\n" for w in words))
    (root / "testing_list.txt").write_text("".join(f"{w}/0000000{n}_nohash_0.wav\n" for w in words for n in (1, 2)))
    return root


class TestFeatures:
    @pytest.mark.parametrize("hertz", [300.0, 1000.0, 2500.0])
    def test_a_tone_is_bright_at_its_frequency(self, hertz: float) -> None:
        front_end = FrontEnd(8000, 6400)
        clips = (fit(tone(hertz, seconds=0.8), 6400) / 32768).astype(np.float32)[None]
        picture = front_end.pictures(clips, 32)[0, :, :, 0]
        edges = np.linspace(*(2595 * np.log10(1 + f / 700) for f in (20, 4000)), 34)
        band = int(np.argmin(np.abs(edges[1:-1] - 2595 * np.log10(1 + hertz / 700))))
        assert set(picture.argmax(axis=0).tolist()) == {31 - band}
        assert picture.max() == 255

    def test_loudness_does_not_matter_and_silence_is_dark(self) -> None:
        front_end = FrontEnd(8000, 6400)
        wave = np.random.default_rng(0).standard_normal((1, 6400)).astype(np.float32)
        loud, soft = (front_end.pictures(wave * level, 24).astype(int) for level in (0.3, 0.03))
        assert np.abs(loud - soft).max() <= 1
        assert front_end.pictures(np.zeros((1, 6400), np.float32), 24).max() == 0

    def test_mel_bank_by_a_slow_definition(self) -> None:
        bank = mel_bank(6, 512, 8000, (20.0, 4000.0))
        mels = np.linspace(2595 * np.log10(1 + 20 / 700), 2595 * np.log10(1 + 4000 / 700), 8)
        edges = 700 * (10 ** (mels / 2595) - 1)
        for band in range(6):
            low, middle, high = edges[band : band + 3]
            expected = [
                max(0.0, min((f - low) / (middle - low), (high - f) / (high - middle))) for f in np.arange(257) * 15.625
            ]
            np.testing.assert_allclose(bank[:, band], np.array(expected) / sum(expected), atol=1e-6)

    def test_every_band_hears_something(self) -> None:
        for bands in (24, 32, 48, 64):
            assert (mel_bank(bands, 512, 8000, (20.0, 4000.0)).max(axis=0) > 0).all()

    def test_mfcc_is_the_cosine_transform(self) -> None:
        wave = np.random.default_rng(1).standard_normal((2, 6400)).astype(np.float32) * 0.1
        decibels = FrontEnd(8000, 6400)._mel_decibels(wave, 16)
        k = np.arange(16)
        basis = np.cos(np.pi * (k[None] + 0.5) * k[:, None] / 16) * np.sqrt(2 / 16)
        expected = np.clip(128 + 2.5 * np.einsum("kb,ntb->nkt", basis, decibels)[:, 1:] + 0.5, 0, 255).astype(int)
        pictures = FrontEnd(8000, 6400, "mfcc").pictures(wave, 16)
        assert np.abs(pictures[:, 1:, :, 0].astype(int) - expected).max() <= 1

    def test_unknown_kind(self) -> None:
        with pytest.raises(InputError, match="unknown sound features 'cepstrum'"):
            FrontEnd(8000, 6400, "cepstrum")


class TestDigits:
    def test_customary_split(self, digits: Path, tmp_path: Path) -> None:
        data = load(digits, tmp_path, val_part=0.2)
        assert data.name == "fsdd" and data.classes == ("0", "1", "2") and data.channels == 1
        assert (len(data.train), len(data.val), len(data.test)) == (33, 9, 30)
        rows = [set(split.rows.tolist()) for split in (data.train, data.val, data.test)]  # type: ignore[attr-defined]
        assert not (rows[0] & rows[1] or rows[0] & rows[2] or rows[1] & rows[2])
        pictures, labels = data.test.batch(np.arange(30), 24)
        assert pictures.shape == (30, 24, 24, 1) and np.bincount(labels).tolist() == [10] * 3
        by_digit = [pictures[labels == d].mean(axis=(0, 2, 3)).argmax() for d in range(3)]
        assert by_digit[0] > by_digit[1] > by_digit[2]  # higher tones lie further up

    def test_whole_speakers_held_out(self, digits: Path, tmp_path: Path) -> None:
        data = load(digits, tmp_path, hold_out=("bob",))
        assert len(data.test) == 36 and len(data.train) + len(data.val) == 36
        assert "bob" in data.notes[0] and data.fingerprint != load(digits, tmp_path).fingerprint
        with pytest.raises(InputError, match="no speaker eve to hold out; the speakers are ann, bob"):
            load(digits, tmp_path, hold_out=("eve",))

    def test_augmentation_changes_the_sound(self, digits: Path, tmp_path: Path) -> None:
        data = load(digits, tmp_path)
        index = np.arange(8)
        plain, _ = data.train.batch(index, 32)
        first, again = (data.train.batch(index, 32, np.random.default_rng(1))[0] for _ in range(2))
        np.testing.assert_array_equal(first, again)
        assert np.abs(first.astype(int) - plain).mean() > 3
        none = load(digits, tmp_path, augmentation="none")
        np.testing.assert_array_equal(none.train.batch(index, 32, np.random.default_rng(1))[0], plain)
        with pytest.raises(InputError, match="unknown sound augmentation 'photos'"):
            load(digits, tmp_path, augmentation="photos")

    def test_damaged_recordings_are_named(self, digits: Path, tmp_path: Path) -> None:
        victim = digits / "recordings" / "1_ann_7.wav"
        whole = victim.read_bytes()
        for content in (whole[:30], whole[:500], b"RIFF nothing", b""):
            victim.write_bytes(content)
            with pytest.raises(InputError, match=r"1_ann_7\.wav: cannot be read as a WAV recording"):
                load(digits, tmp_path)

    def test_one_digit_is_not_enough(self, tmp_path: Path) -> None:
        for n in range(8):
            write_tone(tmp_path / "one" / f"4_ann_{n}.wav", 400)
        with pytest.raises(InputError, match="at least two digits, got 1"):
            load(tmp_path / "one", tmp_path)


class TestCommands:
    def test_twelve_classes(self, commands: Path, tmp_path: Path) -> None:
        data = load(commands, tmp_path)
        assert data.name == "speech_commands" and len(data.classes) == 12 and data.channels == 1
        assert data.classes[10:] == ("_silence_", "_unknown_")
        for split, each in ((data.train, 5), (data.val, 1), (data.test, 2)):
            pictures, labels = split.batch(np.arange(len(split)), 20)
            assert np.bincount(labels, minlength=12).tolist() == [each] * 12
            assert pictures.shape == (12 * each, 20, 20, 1)

    def test_thirty_five_means_every_word_with_the_lists_as_they_are(self, commands: Path, tmp_path: Path) -> None:
        data = load(commands, tmp_path, words=35)
        assert len(data.classes) == 12 and "bed" in data.classes
        assert (len(data.train), len(data.val), len(data.test)) == (60, 12, 24)
        with pytest.raises(InputError, match="expected 12 or 35, got 20"):
            load(commands, tmp_path, words=20)

    def test_background_noise_is_mixed_in(self, commands: Path, tmp_path: Path) -> None:
        data = load(commands, tmp_path)
        index = np.arange(40)
        plain, _ = data.train.batch(index, 32)
        noisy, _ = data.train.batch(index, 32, np.random.default_rng(0))
        assert np.median(noisy) > np.median(plain) + 10  # white noise fills the dark parts

    def test_a_word_without_recordings(self, commands: Path, tmp_path: Path) -> None:
        (commands / "zebra").mkdir()
        with pytest.raises(InputError, match=r"zebra: expected recordings"):
            load(commands, tmp_path)


def test_other_rates_widths_and_channels(tmp_path: Path) -> None:
    reference = tone(440)
    wavfile.write(tmp_path / "a.wav", 16000, np.stack([tone(440, 16000)] * 2, axis=1))
    wavfile.write(tmp_path / "b.wav", 8000, reference.astype(np.float32) / 32768)
    wavfile.write(tmp_path / "c.wav", 8000, reference.astype(np.int32) * 65536)
    for name in "abc":
        wave = read_wave(tmp_path / f"{name}.wav", 8000).astype(int)
        assert len(wave) == len(reference)
        assert np.abs(wave - reference)[50:-50].max() < 40


def test_fit_cuts_and_pads_evenly() -> None:
    wave = np.arange(1, 11, dtype=np.int16)
    assert fit(wave, 4).tolist() == [4, 5, 6, 7]
    assert fit(wave, 13).tolist() == [0, *range(1, 11), 0, 0]


def test_the_real_digits(tmp_path: Path) -> None:
    """The Free Spoken Digit Dataset itself, where its archive lies beside the checkout."""
    archive = Path(__file__).resolve().parents[4] / "shared" / "data" / "fsdd.zip"
    if not archive.is_file():
        pytest.skip("the spoken digits are not there")
    with zipfile.ZipFile(archive) as content:
        content.extractall(tmp_path / "fsdd")
    data = load(tmp_path / "fsdd", tmp_path)
    assert (len(data.train) + len(data.val), len(data.test)) == (2700, 300)
    _, labels = data.test.batch(np.arange(300), 24)
    assert np.bincount(labels).tolist() == [30] * 10
