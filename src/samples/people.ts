import type { Random } from "../numeric/random.js";
import { drawItem } from "../numeric/sampling.js";

/** Names and addresses of people who do not exist: everyday names of several languages, all at example.com. */

/** A person as a programme of the company meets one. */
export interface Person {
  /** Number of the person, from 0. */
  readonly index: number;
  /** Id of the person's first record. */
  readonly customerId: string;
  readonly registeredDay: number;
}

/** A name as its owner writes it, and as a hasty clerk keys it in. */
export interface PersonName {
  readonly written: string;
  readonly keyed: string;
}

export function drawName(random: Random): PersonName {
  const first = drawItem(random, firstNames);
  const last = drawItem(random, lastNames);
  return { written: `${first} ${last}`, keyed: `${plain(last).toUpperCase()}, ${plain(first)}` };
}

/** Email of the n-th customer, unique by its number: "joerg.mueller.17@example.com". */
export const emailOf = (name: PersonName, n: number): string =>
  `${plain(name.written).toLowerCase().replaceAll(" ", ".")}.${n}@example.com`;

/** The same email as another system stores it: capitals, sometimes a blank at the end. */
export const keyedEmail = (email: string, random: Random): string =>
  drawItem(random, [
    email.toUpperCase(),
    `${email} `,
    `${email.charAt(0).toUpperCase()}${email.slice(1).replace("@example.com", "@Example.com")}`,
  ]);

const firstNames =
  "Anna,Jörg,Maria,Lukas,Sofia,Emil,Clara,Jonas,Ida,Paul,Lena,Max,Marta,Felix,Nora,Simon,Elif,Ben,Chloé,Theo,Ines,Mattéo,Käthe,Piotr".split(
    ",",
  );

const lastNames =
  "Müller,Brandt,Keller,Sørensen,Novak,Rossi,Weiß,Lindner,Vogel,Haas,Köhler,Dubois,Jansen,Marek,Schäfer,Bauer,Yılmaz,Ferrari,Peters,Wagner,Lang,Kowalski,Huber,Moser".split(
    ",",
  );

const spelledOut: Readonly<Record<string, string>> = {
  ä: "ae",
  ö: "oe",
  ü: "ue",
  ß: "ss",
  é: "e",
  ø: "oe",
  ı: "i",
};

const plain = (name: string): string => name.replace(/[äöüßéøı]/g, (letter) => spelledOut[letter] ?? letter);
