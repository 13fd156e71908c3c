/** The figures and words by which music/lookup.py and music/spellings.py judge; tests/convex/folding.test.ts compares them. */

export const FIGURES = {
  /** From this likeness (0 to 1) on, a misspelt name is answered, if nothing else comes within the margin. */
  sure: 0.87,
  /** The same for a text of few letters. */
  sureOfShort: 0.93,
  short: 5,
  margin: 0.07,
  /** From this likeness on, a raga is offered. */
  possible: 0.73,
  wellKnown: 0.04,
  knownPlaces: 300,
  wellSpelt: 0.93,
  shortest: 3,
  telling: 4,
  byBeginning: 0.62,
  byMiddle: 0.5,
  byShare: 0.3,
  /** How much the sound says; the rest is how it is spelled. */
  heard: 0.2,
  /** What is taken off where only the other name is in another script. */
  anotherScript: 0.1,
};

/** Words that say what kind of thing is named. */
export const KIND_WORDS = "janya mela melakarta melakartha melam ragini scale thaat that thata".split(" ");

/** How words of the art sound, which are no misspelt ragas, however near they come to one. */
export const NO_NAMES = (
  "adi alap alapan avartan bajan bandis bansuri capu cotal dadr damar dilrub drpad ektal esraj gajal gamak gat " +
  "guitar harmonyum jal jany japtal javali jod kalpanasvar kan kanjir kavali kayal keherv krti lay mat matr mel " +
  "melakart mind murki nadasvar niraval nridang pad pakavaj plute rabab rag ragalu ragas ragini rupak santur saptak " +
  "sarangi sarg sarod sehn sitar srti surbahar svar tabl tal tan tanbur tanpur tap taran tat tilan tintal tunri " +
  "varn vin vyolin"
).split(" ");
