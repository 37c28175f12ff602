/* The shapes of what Python writes (format suite-view/1), for tsc and readers; nothing of it is on a page. */

/** A value: null where it does not apply; `u` is the place of a reason in the index, or the reason in a body. */
type Value = boolean | number | string | null | { u: number };
type BodyValue = boolean | number | string | null | { u: string; detail?: string };
type Direction = "higher" | "lower" | "neither";

interface Cell {
  id: string;
  task: string;
  version: number;
  label: string;
  headline: string;
  direction: Direction;
}

interface ValueColumn {
  name: string;
  kind: "flag" | "number" | "label";
  direction: Direction;
  about: string;
  /** Whether its numbers have decimals, whole ones too. */
  decimals?: boolean;
}

/** Columns of equal length, one entry a row: a sample in a cell and a trial. */
interface Columns {
  id: string[];
  cell: number[];
  trial: number[];
  part: number[];
  at: number[];
  question: number[];
  answer: string[];
  finish: number[];
  outcome: number[];
  values: Value[][];
  tags: number[][];
  tokens: number[];
  seconds: number[];
  calls: number[];
}

interface Index {
  format: string;
  run: { name: string; scoring: string; label: string; level: number };
  cells: Cell[];
  values: ValueColumn[];
  tags: { name: string; values: string[] }[];
  finishes: string[];
  reasons: string[];
  outcomes: string[];
  questions: string[];
  parts: number;
  samples: Columns;
}

/** A text, or its beginning and how many characters are left out. */
type CutText = string | [string, number];
/** The same, or made of texts and of places of others. */
type WrittenText = CutText | { pieces: (string | number)[]; left: number };
/** Name and arguments of a tool call. */
type ToolCall = [string, string];
/** Role, place of the text, tool calls. */
type Message = [string, number, ToolCall[]?];

interface Call {
  number: number;
  role: string;
  stage: string;
  kind: string;
  model: string;
  key: string;
  options: string;
  continues: number;
  shared: number;
  messages: Message[];
  between: Message[];
  hidden: number;
  tail: Message[];
  prompt: number;
  texts: number[];
  more_texts: number;
  tools: string[];
  reply: number;
  reasoning: number;
  tool_calls: ToolCall[];
  finish: string;
  facts: [string, string][];
  tokens: [number, number];
  seconds: number;
  cached: boolean;
  attempt: number;
}

interface ScorePart {
  id: string;
  tags: { [name: string]: string };
  values: { [name: string]: BodyValue };
}

interface SampleBody {
  text: number;
  data: CutText | null;
  values: { [name: string]: BodyValue };
  parts: ScorePart[];
  blocks: Block[];
  note: string;
  calls: (string | Call)[];
}

interface Part {
  texts: CutText[];
  samples: SampleBody[];
}

/** A part as it is written. data: the place of its text; in blocks, text and code are places, too. */
interface WrittenPart {
  texts: WrittenText[];
  samples: (Partial<Omit<SampleBody, "data">> & { data?: number })[];
}

type Shown = string | number | boolean | null;
interface Line {
  name: string;
  points: [number, number][];
  intervals?: ([number, number] | null)[];
}

type Block =
  | { kind: "Text"; title?: string; text: string }
  | { kind: "Facts"; title?: string; facts: { [name: string]: Shown } | [string, Shown][] }
  | { kind: "Table"; title?: string; columns: string[]; rows: Shown[][] }
  | { kind: "Plot"; title?: string; lines: Line[]; x?: string; y?: string; x_labels?: string[] }
  | { kind: "Code"; title?: string; code: string; language?: string; findings?: { line: number; text: string }[] }
  | { kind: "Dialogue"; title?: string; turns: { speaker: string; text: string; notes?: string[] }[] };

interface Window {
  suitePart?: (name: string, part: number, body: string) => void;
  suiteIndex?: (name: string, body: string) => void;
  suiteTrouble?: (told: [string, string]) => void;
}

/** How a permalink names a row. */
interface Identity {
  sample: string;
  cell: string;
  trial: string;
}

/** What a viewer shows: rows of one source, or pairs of two. A row is a place from 0. */
interface Model {
  length: number;
  /** What a row is called: one, many. */
  noun: [string, string];
  sources: Source[];
  facets: Facet[];
  orders: Order[];
  /** How the order of the rows themselves is called. */
  natural: string;
  /** Said above the list. */
  legend: () => Child[];
  /** What a search looks through before parts are read. */
  preview: (row: number) => string;
  describe: (row: number) => Child[];
  /** Said of a row to somebody who does not see it. */
  spoken: (row: number) => string;
  identity: (row: number) => Identity;
  /** The row that an address names, -1 for none. */
  find: (identity: Identity) => number;
  /** Whether a search has found it, by the rows found in each source. */
  hit: (row: number, found: Uint8Array[]) => boolean;
  /** What can be put beside a row: key and name. */
  others: (row: number) => [string, string][];
  head: (row: number) => Child[];
  draw: (row: number, beside: string, level: number) => Promise<Child[]>;
}
