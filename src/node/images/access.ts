/**
 * Who may use an image that is on the node already. One that was pulled with the credentials of a pod is for pods that show these, or others the
 * registry takes; one that was pulled without any, or that somebody else brought to the node, is for all. What was pulled how outlasts the agent.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Logger } from '../../machinery/log.ts'
import { completeName } from './archive.ts'

/** Credentials by the secret that holds them, and a hash of what is in them: either is enough to know them again. */
export interface Credential { readonly uid: string; readonly namespace: string; readonly name: string; readonly hash: string }

export interface ImageAccess {
  /** Whether a pod that can show these credentials may use the image of that id under that name without asking the registry. */
  allows(name: string, id: string, shown: () => Promise<readonly Credential[]>): Promise<boolean>
  /** Runs a pull of `name`, which resolves with the image's id and the credentials that it took; none: anybody may have it. */
  pull<T extends { readonly id: string; readonly credential: Credential | undefined }>(name: string, work: () => Promise<T>): Promise<T>
  /** Forgets images that are gone. */
  prune(present: () => Promise<readonly string[]>): Promise<void>
}

type Users = 'everybody' | readonly Credential[]

interface Records {
  /** Being pulled: what is there under such a name, and in no record, came from a pull that nobody saw the end of. `*`: under any name. */
  readonly pulling: readonly string[]
  /** By image id, then by repository. */
  readonly images: Readonly<Record<string, Readonly<Record<string, Users>>>>
}

const repositoryOf = (name: string): string => completeName(name).replace(/@.*$/, '').replace(/:[^/:]+$/, '')

const isSame = (a: Credential, b: Credential): boolean => a.hash === b.hash || (a.uid === b.uid && a.namespace === b.namespace && a.name === b.name)

/** Keeps its records in `file`, whose directory is there. */
export function createImageAccess(file: string, log: Logger): ImageAccess {
  let records: Promise<Records> | undefined
  let writing: Promise<void> = Promise.resolve()

  /** Records that cannot be read are begun anew; as nobody knows then what came from where, the registry is asked about all that is there. */
  const parsed = (text: string): Records => {
    try {
      return JSON.parse(text) as Records
    } catch {
      log.warn({ file }, 'which images were pulled with whose secrets cannot be read: every image that is here already is asked for again; delete the file if all pods may have them')
      return { pulling: ['*'], images: {} }
    }
  }

  const read = (): Promise<Records> => (records ??= readFile(file, 'utf8').then(
    parsed,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return { pulling: [], images: {} }
    }))

  /** One change after the other; done when it is on the disk. */
  const change = (to: (before: Records) => Records): Promise<void> => {
    const done = writing.then(async () => {
      const after = to(await read())
      await writeFile(`${file}.new`, JSON.stringify(after), { mode: 0o600, flush: true })
      await rename(`${file}.new`, file)
      records = Promise.resolve(after)
    })
    writing = done.catch(() => undefined)
    return done
  }

  const isPulled = (before: Records, name: string, id: string, credential: Credential | undefined): Records => {
    const repository = repositoryOf(name)
    const users = before.images[id]?.[repository] ?? []
    const now = credential === undefined || users === 'everybody' ? 'everybody' : [...users.filter((u) => !isSame(u, credential)), credential]
    return { ...before, images: { ...before.images, [id]: { ...before.images[id], [repository]: now } } }
  }

  const ended = (before: Records, name: string): Records => {
    const index = before.pulling.indexOf(name)
    return { ...before, pulling: before.pulling.filter((_, i) => i !== index) }
  }

  return {
    async allows(name, id, shown) {
      const { images, pulling } = await read()
      const record = images[id]
      if (!record) return !pulling.includes(name) && !pulling.includes('*')
      const users = record[repositoryOf(name)] ?? []
      if (users === 'everybody') return true
      if (users.length === 0) return false
      return (await shown()).some((credential) => users.some((user) => isSame(user, credential)))
    },
    async pull(name, work) {
      await change((before) => ({ ...before, pulling: [...before.pulling, name] }))
      try {
        const done = await work()
        await change((before) => isPulled(ended(before, name), name, done.id, done.credential))
        return done
      } catch (error) {
        await change((before) => ended(before, name))
        throw error
      }
    },
    async prune(present) {
      const { images: known } = await read()
      if (Object.keys(known).length === 0) return
      const there = new Set(await present())
      // One that was pulled again meanwhile has another record by now, which stays.
      const isGone = ([id, record]: readonly [string, unknown]) => !there.has(id) && record === known[id]
      if (Object.entries(known).some(isGone)) await change((before) => ({ ...before, images: Object.fromEntries(Object.entries(before.images).filter((entry) => !isGone(entry))) }))
    },
  }
}
