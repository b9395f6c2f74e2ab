import { Fragment } from "react";
import { sentence } from "@/util/sentence";
import { Mono } from "./Mono";

/** What the server says, as a sentence: what stands in backticks there is code. */
export function Prose({ text }: { text: string }) {
  return sentence(text)
    .split("`")
    .map((part, index) => {
      const key = `${index} ${part}`;
      return index % 2 === 1 ? <Mono key={key}>{part}</Mono> : <Fragment key={key}>{part}</Fragment>;
    });
}
