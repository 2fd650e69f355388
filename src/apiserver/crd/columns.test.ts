import { describe, expect, it } from 'vitest'
import type { ApiObject } from '../../client/client.ts'
import { printerOf } from './columns.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const object = {
  kind: 'CronTab', apiVersion: 'example.com/v1', metadata: { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { text: 'x', n: 3, whole: 3.9, yes: false, list: [1, 2], map: { a: 'b' }, nothing: null, at: '2026-01-01T00:58:00Z', odd: 'when?' },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
} as unknown as ApiObject

/** The cell of one column. */
const cell = (type: string, jsonPath: string) => printerOf([{ name: 'C', type, jsonPath } as never]).row(object, now)[1]

describe('a column', () => {
  const cases: readonly [string, string, unknown][] = [
    ['string', '.spec.text', 'x'],
    ['string', '.spec.n', '3'],
    ['string', '.spec.yes', 'false'],
    ['string', '.spec.list', '[1,2]'],
    ['string', '.spec.map', '{"a":"b"}'],
    ['string', '.spec.missing', null],
    ['string', '.spec.nothing', '<no value>'],
    ['string', '.status.conditions[?(@.type=="Ready")].status', 'True'],
    ['integer', '.spec.n', 3],
    ['integer', '.spec.whole', 3],
    ['integer', '.spec.text', null],
    ['number', '.spec.whole', 3.9],
    ['boolean', '.spec.yes', false],
    ['boolean', '.spec.text', null],
    ['date', '.spec.at', '2m'],
    ['date', '.spec.odd', '<invalid>'],
    ['date', '.spec.n', null],
    ['string', '.spec[', null],
  ]
  for (const [type, path, wanted] of cases) it(`of type ${type} at ${path} shows ${JSON.stringify(wanted)}`, () => expect(cell(type, path)).toBe(wanted))
})

describe('a kind', () => {
  it('without columns shows its age', () => {
    const { columns, row } = printerOf(undefined)
    expect(columns.map(({ name, type }) => [name, type])).toEqual([['Name', 'string'], ['Age', 'date']])
    expect(row(object, now)).toEqual(['a', '60m'])
  })
  it('keeps what its definition says of columns', () => {
    const { columns } = printerOf([{ name: 'Wide', type: 'string', jsonPath: '.a', priority: 1, description: 'For -o wide.' } as never])
    expect(columns[1]).toMatchObject({ name: 'Wide', type: 'string', priority: 1, description: 'For -o wide.' })
  })
})
