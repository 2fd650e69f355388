import { describe, expect, it } from 'vitest'
import { Roster, type Member } from './roster.ts'

const named = (name: string): Member & { readonly name: string } => ({ name, place: -1 })
const namesOf = (roster: Iterable<{ readonly name: string }>) => [...roster].map(({ name }) => name).toSorted()

describe('a roster', () => {
  it('has those who came and did not go, wherever they stood', () => {
    const roster = new Roster<ReturnType<typeof named>>()
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(named) as [ReturnType<typeof named>, ReturnType<typeof named>, ReturnType<typeof named>, ReturnType<typeof named>]
    for (const member of [a, b, c, d]) roster.add(member)
    roster.delete(a)
    roster.delete(c)
    expect([namesOf(roster), roster.size]).toEqual([['b', 'd'], 2])
    roster.add(a)
    roster.delete(d)
    expect([namesOf(roster), roster.size]).toEqual([['a', 'b'], 2])
    roster.delete(a)
    roster.delete(b)
    expect([namesOf(roster), roster.size]).toEqual([[], 0])
  })

  it('does not mind who leaves twice, or never came', () => {
    const roster = new Roster<ReturnType<typeof named>>()
    const [a, b] = [named('a'), named('b')]
    roster.delete(b)
    roster.add(a)
    roster.delete(b)
    roster.delete(a)
    roster.delete(a)
    expect(roster.size).toBe(0)
  })

  it('goes through all who are there, though they leave on the way', () => {
    const roster = new Roster<ReturnType<typeof named>>()
    for (const name of ['a', 'b', 'c']) roster.add(named(name))
    const seen: string[] = []
    for (const member of roster) {
      seen.push(member.name)
      roster.delete(member)
    }
    expect([seen, roster.size]).toEqual([['a', 'b', 'c'], 0])
  })
})
