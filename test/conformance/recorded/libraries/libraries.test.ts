/**
 * What Kubernetes's own libraries (v0.36.4: apimachinery, client-go, structured-merge-diff) answered to some hundred questions, found by
 * asking both sides some hundred thousand random ones, stands in `answers/`; here Skiff is asked. `record.ts` asks the libraries again.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ask, type Answer, type Question } from './ask.ts'

const recorded = (name: string) => readFileSync(new URL(`answers/${name}.jsonl`, import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { readonly ask: Question; readonly answer: Answer })

describe.each(['strategic', 'apply', 'decode', 'values'])('%s', (name) => {
  it.each(recorded(name).map(({ ask: question, answer }): [string, Question, Answer] => [JSON.stringify(question).slice(0, 150), question, answer]))('%s', (_title, question, answer) => {
    expect(JSON.parse(JSON.stringify(ask(question)))).toEqual(answer)
  })
})
