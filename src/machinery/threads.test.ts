import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** Says the names and priorities of a process's threads, and that of a process it starts, after the helpers were told to stand back. */
const told = `
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
const { letHelpersStandBack } = await import(${JSON.stringify(new URL('threads.ts', import.meta.url).href)})
letHelpersStandBack()
const threads = readdirSync('/proc/self/task').map((id) => [readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim(), getPriority(Number(id))])
console.log(JSON.stringify({ main: getPriority(), child: Number(execFileSync('nice')), helpers: threads.filter(([name]) => name.startsWith('V8Worker')).map(([, priority]) => priority) }))
`

const run = (nice: number) => JSON.parse(execFileSync('nice', ['-n', String(nice), process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', told], { encoding: 'utf8' })) as { main: number; child: number; helpers: number[] }

it('puts the helping threads behind the main one, and no process that is started after that', () => {
  const { main, child, helpers } = run(0)
  expect(helpers.length).toBeGreaterThan(0)
  expect(new Set(helpers)).toEqual(new Set([Math.min(19, main + 10)]))
  expect(child).toBe(main)
})

it('puts them as far back as there is where the process stands back itself', () => {
  const { main, helpers } = run(15)
  expect(main).toBeGreaterThanOrEqual(15)
  expect(new Set(helpers)).toEqual(new Set([19]))
})
