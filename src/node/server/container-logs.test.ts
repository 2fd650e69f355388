import { mkdirSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { NodeContext } from '../context.ts'
import { podLogDirectory } from '../pods/names.ts'
import { startTestNode, type TestNode } from '../testing/node.ts'
import { serveLogs } from './container-logs.ts'

let node: TestNode
let context: NodeContext
const lines = ['2026-01-01T00:00:00Z stdout F one', '2026-01-01T00:00:01Z stderr F two', '2026-01-01T00:00:02Z stdout F three']
beforeAll(async () => {
  node = await startTestNode()
  await node.create('web', {})
  context = { runtime: node.runtime, clock: node.clock, directories: { data: node.directory, logs: join(node.directory, 'logs'), memory: '' } } as unknown as NodeContext
  const directory = join(podLogDirectory(context.directories.logs, node.pod('web')), 'main')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, '0.log'), lines.map((line) => `${line}\n`).join(''))
})
afterAll(() => node.close())

/** What is written as the answer. */
async function ask(path: string): Promise<string> {
  const chunks: string[] = []
  const response = new Writable({ write(chunk: Buffer, _, done) { chunks.push(chunk.toString()); done() } })
  const find = (_: string, name: string) => [...node.workers.values()].find((w) => w.pod.metadata.name === name)
  await serveLogs(context, find, new URL(`https://node/containerLogs/default/${path}`), Object.assign(response, { writeHead: () => response, flushHeaders: () => undefined }) as unknown as ServerResponse)
  return chunks.join('')
}

it('shows what is asked for', async () => {
  expect(await ask('web/main')).toBe('one\ntwo\nthree\n')
  for (const query of ['tailLines=1', 'tail=1', 'tail=1&tailLines=2']) expect(await ask(`web/main?${query}`)).toBe('three\n')
  expect(await ask('web/main?tail=all&tailLines=1')).toBe('one\ntwo\nthree\n')
  expect(await ask('web/main?stream=Stderr')).toBe('two\n')
  expect(await ask('web/main?sinceTime=2026-01-01T01:00:01%2B01:00')).toBe('two\nthree\n')
  expect(await ask('web/main?timestamps=1&limitBytes=22')).toBe('2026-01-01T00:00:00Z o')
})

it('says who is not there', async () => {
  await expect(ask('gone/main')).rejects.toMatchObject({ code: 404, message: 'pod "gone" does not exist' })
  await expect(ask('web/other')).rejects.toMatchObject({ code: 404, message: 'container "other" not found in pod "web"' })
  await expect(ask('web/main?previous=1')).rejects.toMatchObject({ code: 400, message: 'previous terminated container "main" in pod "web" not found' })
})

it.each([
  ['tailLines=x'], ['tailLines='], ['limitBytes=1e3'], ['sinceSeconds=0x10'], ['tailLines=9223372036854775808'], ['sinceTime=yesterday'],
])('cannot read %s', async (query) => {
  await expect(ask(`gone/main?${query}`)).rejects.toMatchObject({ code: 400, message: '{"message": "Unable to decode query."}' })
})

it.each([
  ['tailLines=-1'], ['limitBytes=0'], ['sinceSeconds=0'], ['sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z'], ['stream=stdout'], ['stream='], ['stream=Stdout&tailLines=1'],
])('makes no sense of %s', async (query) => {
  await expect(ask(`gone/main?${query}`)).rejects.toMatchObject({ code: 422, message: '{"message": "Invalid request."}' })
})
