"""Languages: names and descriptions of commands in other ones, and the scripts that ragas are written in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Local:
    """A command in one language; a platform that takes no name in that script keeps the English one."""

    name: str
    description: str


LOCALES: dict[str, dict[str, Local]] = {
    "hi": {
        "raga": Local("राग", "राग का परिचय: आरोह-अवरोह, समय, भाव"),
        "search": Local("खोज", "नाम, परंपरा, समय या भाव से राग खोजें"),
        "generate": Local("रचना", "अपने लिए एक रचना बनवाएँ"),
        "favorites": Local("पसंद", "जो आपने सँजोया है"),
        "history": Local("इतिहास", "जो आपके लिए बना है"),
        "cancel": Local("रोकें", "बन रही रचना को रोकें"),
        "help": Local("मदद", "मैं क्या-क्या कर सकता हूँ"),
    },
    "ta": {
        "raga": Local("ராகம்", "ராகத்தின் அறிமுகம்: ஆரோகணம், அவரோகணம், நேரம், உணர்வு"),
        "search": Local("தேடு", "பெயர், மரபு, நேரம் அல்லது உணர்வால் ராகங்களைத் தேடுங்கள்"),
        "generate": Local("உருவாக்கு", "உங்களுக்காக ஓர் இசைப் படைப்பை உருவாக்குங்கள்"),
        "favorites": Local("விருப்பங்கள்", "நீங்கள் சேமித்தவை"),
        "history": Local("வரலாறு", "உங்களுக்காக உருவாக்கப்பட்டவை"),
        "cancel": Local("நிறுத்து", "உருவாகிக்கொண்டிருக்கும் படைப்பை நிறுத்துங்கள்"),
        "help": Local("உதவி", "என்னால் என்ன செய்ய முடியும்"),
    },
}
"""By language (ISO 639-1) and command."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language that somebody may prefer: its English name, and the script that the names of ragas are shown in."""

    name: str
    script: str | None


LANGUAGES: dict[str, Language] = {
    "en": Language("English", None),
    "hi": Language("Hindi", "Devanagari"),
    "mr": Language("Marathi", "Devanagari"),
    "sa": Language("Sanskrit", "Devanagari"),
    "ta": Language("Tamil", "Tamil"),
    "te": Language("Telugu", "Telugu"),
    "kn": Language("Kannada", "Kannada"),
    "ml": Language("Malayalam", "Malayalam"),
}
"""By code (ISO 639-1)."""


def script_of(tag: str) -> str | None:
    """The script of a language tag such as ``hi`` or ``ta-IN``; None where it is Latin or not known."""
    language = LANGUAGES.get(tag.casefold().partition("-")[0])
    return None if language is None else language.script
