import { describe, expect, it } from 'vitest'
import type { Definition } from './conditions.ts'
import { decideNames } from './names.ts'

type Names = Partial<Definition['spec']['names']>
const none = { plural: '', kind: '' }
const one = (names: Names, accepted: Names = none): Definition =>
  ({ metadata: { name: `${names.plural}.example.com` }, spec: { group: 'example.com', names }, status: { acceptedNames: accepted, conditions: [], storedVersions: [] } }) as unknown as Definition
const pods = { plural: 'crons', singular: 'cron', kind: 'Cron', listKind: 'CronList', shortNames: ['cr', 'crn'] }
const taken = one(pods, pods)

describe('names', () => {
  it('that nobody has are accepted', () => {
    expect(decideNames(one(pods), [])).toEqual({ accepted: { ...pods, categories: undefined }, statement: { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' } })
  })
  const cases: readonly [string, Names, string, string][] = [
    ['the plural', { plural: 'cr' }, 'PluralConflict', '"cr" is already in use'],
    ['the singular', { singular: 'crons' }, 'SingularConflict', '"crons" is already in use'],
    ['the kind', { kind: 'Cron' }, 'KindConflict', '"Cron" is already in use'],
    ['the kind of lists', { listKind: 'Cron' }, 'ListKindConflict', '"Cron" is already in use'],
    ['a short name', { shortNames: ['new', 'cr'] }, 'ShortNamesConflict', '"cr" is already in use'],
    ['two short names', { shortNames: ['crn', 'cr'] }, 'ShortNamesConflict', '["crn" is already in use, "cr" is already in use]'],
  ]
  for (const [what, names, reason, message] of cases) {
    it(`conflict in ${what}: the others are accepted all the same`, () => {
      const wanted = { plural: 'others', singular: 'other', kind: 'Other', listKind: 'OtherList', ...names }
      const { accepted, statement } = decideNames(one(wanted), [taken])
      expect(statement).toMatchObject({ status: 'False', reason, message })
      const [field] = Object.keys(names) as (keyof Names)[]
      expect(accepted[field!]).toBe(field === 'plural' || field === 'kind' ? '' : undefined)
      expect(Object.values(accepted).filter((name) => name === 'others' || name === 'other' || name === 'Other' || name === 'OtherList')).toHaveLength(field === 'shortNames' ? 4 : 3)
    })
  }
  it('are not lost to another definition that only wants them', () => {
    expect(decideNames(taken, [one(pods)]).statement.status).toBe('True')
  })
})
