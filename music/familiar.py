"""Which ragas people ask for most: what an empty list of suggestions begins with, and what breaks ties."""

from __future__ import annotations

from music.raga import Raga

_HINDUSTANI = """
Yaman, Bhairav, Bhairavi, Bhupali, Malkauns, Darbari Kanada, Bageshri, Desh, Khamaj, Kafi, Todi,
Bihag, Marwa, Puriya Dhanashri, Bhimpalasi, Durga, Bilawal, Asavari, Jog, Hansadhwani, Kedar, Miyan
Malhar, Jaunpuri, Lalit, Ahir Bhairav, Shree, Purvi, Puriya, Rageshri, Brindavani Sarang, Multani,
Shivaranjani, Pilu, Jaijaivanti, Alhaiya Bilawal, Hameer, Kirwani, Charukeshi, Basant, Bahar, Megh,
Tilak Kamod, Madhuvanti, Patdeep, Gujari Todi, Bilaskhani Todi, Shuddh Sarang, Chandrakauns, Maru
Bihag, Shankara, Kalavati, Adana, Sohini, Hindol, Jhinjhoti, Tilang
"""
_CARNATIC = """
Mechakalyani, Mohanam, Hanumatodi, Bhairavi, Dheerasankarabharanam, Kharaharapriya, Kambhoji,
Hamsadhwani, Hindolam, Mayamalavagowla, Shanmukhapriya, Anandabhairavi, Bilahari, Kamavardhini,
Abhogi, Madhyamavati, Charukesi, Keeravani, Purvikalyani, Saveri, Arabhi, Nattai, Sahana,
Reetigowla, Begada, Amritavarshini, Sriranjani, Simhendramadhyamam, Shubhapantuvarali, Sindhu
Bhairavi, Suddha Saveri, Kedaragowla, Revati, Chakravakam, Harikambhoji, Varali, Sri, Vasanta
"""


def _order(text: str) -> dict[str, int]:
    return {name.strip(): place for place, name in enumerate(" ".join(text.split()).split(","))}


_PLACES = {"Hindustani": _order(_HINDUSTANI), "Carnatic": _order(_CARNATIC)}

UNFAMILIAR = 1000


def familiarity(raga: Raga) -> int:
    """A raga's place among those asked for most, from 0, or `UNFAMILIAR`; the traditions alternate."""
    place = _PLACES[raga.tradition].get(raga.name)
    return UNFAMILIAR if place is None else 2 * place + (raga.tradition == "Carnatic")
