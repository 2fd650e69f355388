/**
 * The keys that secrets are encrypted with unless somebody configures something else. Each is a file of its own, so that nothing is
 * ever rewritten: a rotation adds one, and removes those that nothing needs any more. The newest writes, all of them read.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownGcm } from './aes.ts'
import type { Provider } from './provider.ts'

/** A key as it is known: its secret stays within its provider. */
export interface Key {
  /** `key7-3f9a2c`: its number, and what tells it from another seventh key of another time. */
  readonly name: string
  readonly number: number
  readonly provider: Provider
}

const fileName = /^key(\d+)-[0-9a-f]{6}$/
const secretLength = 32

/** Something about the keys that somebody has to mend. The message is one line that says what. */
export class KeyError extends Error {}

/** The keys of a directory, newest first. Throws `KeyError` on files that others could read, or that hold no key. */
export function readKeys(directory: string): readonly Key[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new KeyError(`${directory} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  if (names.some((name) => fileName.test(name))) checkMode(directory)
  return names.filter((name) => fileName.test(name)).map((name) => readKey(directory, name)).toSorted((a, b) => b.number - a.number)
}

function readKey(directory: string, name: string): Key {
  const file = join(directory, name)
  checkMode(file)
  const secret = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
  if (secret.length !== secretLength) throw new KeyError(`${file} is damaged: it does not hold a key of ${secretLength} bytes; restore it from a backup, without it what it encrypted cannot be read`)
  return { name, number: Number(fileName.exec(name)?.[1]), provider: ownGcm(name, secret) }
}

function checkMode(path: string): void {
  const mode = statSync(path).mode & 0o777
  if ((mode & 0o077) !== 0) throw new KeyError(`${path} can be read by others (mode ${mode.toString(8)}); run: chmod go= ${path}`)
}

/** Makes a key, newer than those that are there, and durable when this returns. */
export function addKey(directory: string): Key {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const number = (readKeys(directory)[0]?.number ?? 0) + 1
  const name = `key${number}-${randomBytes(3).toString('hex')}`
  const file = join(directory, name)
  writeFileSync(`${file}.new`, `${randomBytes(secretLength).toString('base64')}\n`, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
  syncDirectory(directory)
  return readKey(directory, name)
}

/** Removes a key. What it encrypted is lost, unless there is nothing. */
export function dropKey(directory: string, name: string): void {
  unlinkSync(join(directory, name))
  syncDirectory(directory)
}

/** The keys of a directory; a first one is made when there is none. Throws `KeyError`. */
export function ensureKeys(directory: string): readonly Key[] {
  const keys = readKeys(directory)
  return keys.length > 0 ? keys : [addKey(directory)]
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
