import { array, assert, asyncProperty, constantFrom, jsonValue, record, string } from 'fast-check'
import { expect, it } from 'vitest'
import { formatYaml } from '../../machinery/yaml.ts'
import { longText, pieceBytes, Pieces, type LongBody } from './pieces.ts'

/** What a reader gets who takes every piece at once. */
async function read({ write }: LongBody): Promise<readonly Buffer[]> {
  const read: Buffer[] = []
  const pieces = new Pieces({
    piece(bytes, taken) {
      read.push(Buffer.from(bytes))
      taken()
    },
    room: () => undefined,
    over: () => false,
  })
  await write(pieces)
  pieces.flush()
  return read
}

const textOf = async (body: LongBody) => Buffer.concat(await read(body)).toString()

it('is what the document would be if it were written at once', async () => {
  const item = record({ name: string({ unit: 'grapheme' }), value: jsonValue({ maxDepth: 3 }) }).map((value) => JSON.parse(JSON.stringify(value)) as object)
  const document = record({ items: array(item), key: constantFrom('items', 'rows'), frame: record({ kind: constantFrom('List'), apiVersion: constantFrom('v1'), metadata: constantFrom<object>({}, { resourceVersion: '7' }) }) })
  await assert(asyncProperty(document, async ({ items, key, frame }) => {
    const whole = { ...frame, [key]: items }
    const long = { frame, key, items, json: JSON.stringify }
    expect(await textOf(longText(long, 'json'))).toBe(`${JSON.stringify(whole)}\n`)
    expect(await textOf(longText(long, 'pretty'))).toBe(`${JSON.stringify(whole, null, 2)}\n`)
    expect(await textOf(longText(long, 'yaml'))).toBe(formatYaml(whole))
  }), { numRuns: 300 })
})

const listOf = (items: readonly object[]) => longText({ frame: { kind: 'List' }, key: 'items', items, json: JSON.stringify }, 'json')

it('is never in one large buffer', async () => {
  const items = Array.from({ length: 2000 }, (_, i) => ({ i, text: 'x'.repeat(1000) }))
  const pieces = await read(listOf(items))
  expect(Buffer.concat(pieces).toString()).toBe(`${JSON.stringify({ kind: 'List', items })}\n`)
  expect(pieces.length).toBeGreaterThan(5)
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(pieceBytes)
})

it('takes an item that is larger than a piece', async () => {
  const items = [{ text: 'é'.repeat(400_000) }, { text: 'b' }]
  expect(await textOf(listOf(items))).toBe(`${JSON.stringify({ kind: 'List', items })}\n`)
})

it('writes a hundred megabytes into the memory of a few pieces, when the reader takes them', async () => {
  const items = Array.from({ length: 10_000 }, () => ({ text: 'x'.repeat(10_000) }))
  const memories = new Set<ArrayBufferLike>()
  let size = 0
  const pieces = new Pieces({
    piece(bytes, taken) {
      memories.add(bytes.buffer)
      size += bytes.length
      setImmediate(taken)
    },
    room: () => new Promise((resolve) => setImmediate(resolve)),
    over: () => false,
  })
  await listOf(items).write(pieces)
  pieces.flush()
  expect(size).toBeGreaterThan(100e6)
  expect(memories.size).toBeLessThan(10)
})

it('does not use bytes again that a slow reader has not taken', async () => {
  const items = Array.from({ length: 500 }, (_, i) => ({ text: String(i % 10).repeat(10_000) }))
  const held: Buffer[] = []
  const pieces = new Pieces({ piece: (bytes) => void held.push(bytes), room: () => undefined, over: () => false })
  await listOf(items).write(pieces)
  pieces.flush()
  expect(Buffer.concat(held).toString()).toBe(`${JSON.stringify({ kind: 'List', items })}\n`)
})

it('stops when nobody reads any more', async () => {
  let made = 0
  let over = false
  const items = Array.from({ length: 10_000 }, (_, i) => i)
  const json = () => {
    made++
    return JSON.stringify('x'.repeat(1000))
  }
  const pieces = new Pieces({ piece: () => void (over = true), room: () => undefined, over: () => over })
  await longText({ frame: {}, key: 'items', items, json }, 'json').write(pieces)
  expect(made).toBeLessThan(1000)
})
