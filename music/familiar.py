"""Which ragas people ask for most: what an empty list of suggestions begins with, and what breaks ties."""

from __future__ import annotations

from music.raga import Raga
from music.swaras import Tradition

_HINDUSTANI = """
Yaman, Bhairav, Bhairavi, Bhupali, Malkauns, Darbari Kanada, Bageshri, Desh, Khamaj, Kafi, Todi,
Bihag, Marwa, Puriya Dhanashri, Bhimpalasi, Durga, Bilawal, Asavari, Jog, Hansadhwani, Kedar, Miyan
Malhar, Jaunpuri, Lalit, Ahir Bhairav, Shree, Purvi, Puriya, Rageshri, Brindavani Sarang, Multani,
Shivaranjani, Pilu, Jaijaivanti, Alhaiya Bilawal, Hameer, Kirwani, Charukeshi, Basant, Bahar, Megh,
Tilak Kamod, Madhuvanti, Patdeep, Gujari Todi, Bilaskhani Todi, Shuddh Sarang, Chandrakauns, Maru
Bihag, Shankara, Kalavati, Adana, Sohini, Hindol, Jhinjhoti, Tilang, Deshkar, Vibhas, Yaman Kalyan,
Puriya Kalyan, Bairagi, Gaud Sarang, Gaud Malhar, Nat Bhairav, Abhogi, Gorakh Kalyan, Jogkauns,
Kamod, Chhayanat, Shyam Kalyan, Shuddh Kalyan, Jogiya, Ramkali, Gunkali, Paraj, Basant Mukhari,
Kausi Kanada, Nayaki Kanada, Bhatiyar, Komal Rishabh Asavari, Mand, Pahadi, Gara, Saraswati, Dhani,
Desi, Devgandhar, Sindhu Bhairavi, Hem Kalyan, Hemant, Narayani, Janasammohini, Bhinna Shadja,
Malgunji, Madhukauns, Nand, Madhmad Sarang, Miyan Ki Sarang, Jait Kalyan, Ahiri Todi, Bhupal Todi,
Lalita Gauri, Gauri, Triveni, Maluha Kedar, Chandni Kedar, Jaldhar Kedar, Bihagda, Nat Bihag,
Khambavati, Sorath, Shahana, Suha, Sughrai, Suha Sughrai, Barwa, Sindhura, Ramdasi Malhar, Sur
Malhar, Nat Malhar, Desh Malhar, Jayant Malhar, Devgiri Bilawal, Yamani Bilawal, Kukubh
Bilawal, Shukla Bilawal, Jogeshwari, Amritavarshini, Vachaspati, Simhendra Madhyam, Arabhi,
Shanmukhapriya, Salagavarali, Parameshwari, Gavati, Jaitashri, Dhanashri, Zeelaf, Anand Bhairav,
Bangal Bhairav, Shivmat Bhairav, Saurashtra Bhairav, Kalingda, Bhankhar, Basant Bahar, Bageshri
Kanada, Bhairav Bahar, Gopika Basant, Hans Kinkini, Pradipaki, Palasi, Bhim, Sampurna Malkauns,
Harikauns, Mohankauns, Raj Kalyan, Samant Sarang, Lankadahan Sarang, Badhans Sarang, Nat, Meghranjani
"""
_CARNATIC = """
Mechakalyani, Mohanam, Hanumatodi, Bhairavi, Dheerasankarabharanam, Kharaharapriya, Kambhoji,
Hamsadhwani, Hindolam, Mayamalavagowla, Shanmukhapriya, Anandabhairavi, Bilahari, Kamavardhini,
Abhogi, Madhyamavati, Charukesi, Keeravani, Purvikalyani, Saveri, Arabhi, Nattai, Sahana,
Reetigowla, Begada, Amritavarshini, Sriranjani, Simhendramadhyamam, Shubhapantuvarali, Sindhu
Bhairavi, Suddha Saveri, Kedaragowla, Revati, Chakravakam, Harikambhoji, Varali, Sri, Vasanta,
Abheri, Natakapriya, Gourimanohari, Natabhairavi, Mukhari, Dhanyasi, Suddha Dhanyasi, Atana, Khamas,
Kapi, Behag, Surati, Nilambari, Yadukula Kambhoji, Kanada, Darbari Kanada, Lalita, Bowli, Gowla,
Malayamarutam, Gambhira Nattai, Chalanata, Devagandhari, Hamsanandi, Hamsanadam, Ranjani, Valaji,
Bahudari, Kadanakutuhalam, Kuntalavarali, Nattakuranji, Punnagavarali, Senchurutti, Navaroj, Kurinji,
Jaganmohini, Nalinakanti, Mohanakalyani, Hamirkalyani, Yamunakalyani, Saramati, Jayantasri,
Jayamanohari, Jayantasena, Manirangu, Bhoopalam, Ahiri, Asaveri, Huseni, Manji, Pilu, Desh, Tilang,
Mand, Brindavana Saranga, Brindavani, Dwijavanti, Janaranjani, Kannada, Kedaram, Hemavati, Dharmavati,
Vachaspati, Latangi, Sarasangi, Vakulabharanam, Rasikapriya, Ramapriya, Kokilapriya, Ratnangi, Kanakangi,
Shivaranjani, Bageshri, Chandrajyoti, Gamanashrama, Subhashini, Karnaranjani, Kalyanavasantam,
Lavangi, Mahati, Nagaswaravali, Navarasa Kannada, Kiranavali, Ravichandrika, Rudrapriya, Saraswati
Manohari, Saraswati, Saranga, Salagabhairavi, Jyotiswarupini, Nasikabhushani, Bhavapriya,
Gowlakannada, Malahari, Malavi, Mangalakaisiki, Maruva, Nadanamakriya, Nayaki, Padi, Paras,
Pushpalatika, Revagupti, Sowrashtram, Supradipam, Suddhabangala, Umabharanam, Vagadheeswari,
Vasantabhairavi, Vijayasri, Vivardhini, Gopikavasantam, Chittaranjani, Chayatarangini, Devamanohari,
Garudadhwani, Ghanta, Gundakriya, Isamanohari, Kalavati, Kamalamanohari, Kokilaravam, Manoranjani,
Narayanagowla, Niroshta, Phalamanjari, Purnachandrika, Bindumalini, Charuvardhani, Chintamani
"""


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in " ".join(text.split()).split(","))


WELL_KNOWN: dict[Tradition, tuple[str, ...]] = {
    "Hindustani": _names(_HINDUSTANI),
    "Carnatic": _names(_CARNATIC),
}
"""The names, as the catalogue has them, of the ragas asked for most, the best known first."""

_PLACES = {
    tradition: {name: place for place, name in enumerate(names)} for tradition, names in WELL_KNOWN.items()
}

UNFAMILIAR = 1000


def familiarity(raga: Raga) -> int:
    """A raga's place among those asked for most, from 0, or `UNFAMILIAR`; the traditions alternate."""
    place = _PLACES[raga.tradition].get(raga.name)
    return UNFAMILIAR if place is None else 2 * place + (raga.tradition == "Carnatic")
