/**
 * Asks Kubernetes's libraries the questions in `answers/` again and writes down what they answer; what Skiff answers otherwise is printed
 * and left out. `go build -o PROGRAM main.go` where k8s.io/client-go and what it needs are in GOPATH (Debian's golang-k8s-*-dev), then
 * `node test/conformance/recorded/libraries/record.ts PROGRAM [questions.jsonl name]`.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { deepEqual } from '../../../../src/machinery/meta.ts'
import { ask, settled, type Answer, type Question } from './ask.ts'

interface Out { readonly Result?: string; readonly Status?: { readonly code: number; readonly message: string; readonly details?: { readonly causes?: readonly unknown[] } }; readonly Error?: string; readonly Warnings?: readonly string[]; readonly Values?: readonly string[]; readonly Steps?: readonly Out[] }

/** Kubernetes answers some bad patches and configurations with an internal error (500), Skiff says that they are bad (400). */
const codeOf = ({ code }: { readonly code: number }): number => (code === 500 ? 400 : code)
const asAnswer = ({ Result, Status, Error: problem, Warnings, Values, Steps }: Out, question: Question): Answer => ({
  ...(Steps ? { steps: Steps.map((step) => asAnswer(step, question)) } : {}),
  ...(Result === undefined ? {} : { object: JSON.parse(Result) as unknown }),
  ...(Warnings ? { warnings: Warnings } : {}),
  ...(Values && problem === undefined ? { values: question.Op === 'quantity' ? Values.filter((_, i) => i !== 3 && i !== 5) : Values.slice(0, question.Op.startsWith('label') || question.Op === 'fields' ? 2 : 1) } : {}),
  ...(Status ? { code: codeOf(Status), refused: Status.message, ...(Status.code === 409 ? { causes: Status.details?.causes ?? [] } : {}) } : {}),
  ...(problem === undefined ? {} : ['duration', 'time', 'microtime'].includes(question.Op) ? { refused: 'bad' } : { code: 400, refused: problem.replace(/^B /, '') }),
})

const [program = '', from, only] = process.argv.slice(2)
const file = (name: string) => new URL(`answers/${name}.jsonl`, import.meta.url)
for (const name of only ? [only] : ['strategic', 'apply', 'decode', 'values']) {
  const lines = readFileSync(from ?? file(name), 'utf8').trim().split('\n')
  const questions = lines.map((line) => (JSON.parse(line) as { readonly ask: Question }).ask)
  const { stdout } = spawnSync(program, { input: questions.map((question) => `${JSON.stringify(question)}\n`).join(''), maxBuffer: 1 << 28 })
  const out = stdout.toString().trim().split('\n').flatMap((line, i) => {
    const question = questions[i] as Question
    const answer = JSON.parse(JSON.stringify(settled(asAnswer(JSON.parse(line) as Out, question)))) as Answer
    const own = JSON.parse(JSON.stringify(ask(question))) as Answer
    if (deepEqual(answer, own)) return [JSON.stringify({ ask: question, answer })]
    console.log(`${JSON.stringify(question)}\n  ${JSON.stringify(answer)}\n  ${JSON.stringify(own)}`)
    return []
  })
  writeFileSync(file(name), `${out.join('\n')}\n`)
  console.log(`${name}: ${out.length} of ${questions.length} answers the same`)
}
