import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { isAlive, processIdentity } from './process.ts'

it('knows a process that runs, by more than its number', () => {
  expect(isAlive(process.pid)).toBe(true)
  expect(processIdentity(process.pid)).toBe(processIdentity(process.pid))
  expect(processIdentity(process.pid)).not.toBe(processIdentity(process.ppid))
})

it('takes a process that has ended for dead, also while nobody has taken note of its end', async () => {
  // The shell's child ends at once; the program that takes the shell's place never asks for it.
  const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 5'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const child = Number(line.toString())
  while (!readFileSync(`/proc/${child}/stat`, 'utf8').includes(') Z ')) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(isAlive(child)).toBe(false)
  parent.kill()
  await once(parent, 'close')
  expect(isAlive(parent.pid as number)).toBe(false)
})
