/** Static tokens: a file of lines `token,user,uid,"group1,group2"`, read at start. */
import { createHash } from 'node:crypto'
import type { Identity } from '../identity.ts'

/** Who a token is; undefined for one that is not in the file. */
export type FindToken = (token: string) => Identity | undefined

/** Tokens are compared by their digests: how long a look-up takes says nothing about them. */
const digest = (token: string): string => createHash('sha256').update(token).digest('base64')

/** Reads the file. Throws an `Error` that names the line which is wrong; an empty token or one that is there twice is. */
export function parseTokenFile(text: string): FindToken {
  const known = new Map<string, Identity>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const [token = '', name = '', uid = '', groups = '', ...more] = fieldsOf(line, index + 1)
    if (more.length > 0 || name === '' || line.split(',').length < 3) throw new Error(`line ${index + 1}: it must have at least 3 columns: token,user,uid,"group1,group2"`)
    if (token === '') throw new Error(`line ${index + 1}: the token is empty`)
    const key = digest(token)
    if (known.has(key)) throw new Error(`line ${index + 1}: the same token is there twice`)
    known.set(key, { name, ...(uid ? { uid } : {}), groups: groups.split(',').map((g) => g.trim()).filter((g) => g !== '') })
  }
  return (token) => known.get(digest(token))
}

/** The fields of one line of comma separated values; quotes may stand around a field, doubled within. */
function fieldsOf(line: string, number: number): string[] {
  const fields: string[] = []
  const form = /\s*(?:"((?:[^"]|"")*)"\s*|([^",]*))(,|$)/y
  for (;;) {
    const match = form.exec(line)
    if (!match) throw new Error(`line ${number}: a quote stands where none may`)
    fields.push(match[1] === undefined ? (match[2] ?? '').trim() : match[1].replaceAll('""', '"'))
    if (match[3] === '') return fields
  }
}
