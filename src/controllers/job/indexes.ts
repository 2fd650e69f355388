/** Completion indexes: sets of numbers as text such as `1,3-5,7`. */
import type { core } from '../../api/index.ts'

export const indexKey = 'batch.kubernetes.io/job-completion-index'

/** The numbers of a text; those from `limit` on are left out. */
export function parseIndexes(text: string | undefined, limit: number): Set<number> {
  const indexes = new Set<number>()
  for (const part of (text ?? '').split(',').filter(Boolean)) {
    const [from = 0, to = from] = part.split('-').map(Number)
    for (let i = from; i <= to && i < limit; i++) indexes.add(i)
  }
  return indexes
}

/** The shortest text of the numbers. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const parts: string[] = []
  for (let i = 0; i < sorted.length; i++) {
    const from = sorted[i] as number
    while (sorted[i + 1] === (sorted[i] as number) + 1) i++
    const to = sorted[i] as number
    parts.push(to === from ? `${from}` : to === from + 1 ? `${from},${to}` : `${from}-${to}`)
  }
  return parts.join(',')
}

/** The index of a pod of an indexed job; undefined when it has none. */
export function indexOf(pod: core.Pod): number | undefined {
  const text = pod.metadata.annotations?.[indexKey]
  return text && /^\d+$/.test(text) ? Number(text) : undefined
}
