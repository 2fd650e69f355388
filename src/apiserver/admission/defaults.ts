/** Which of several objects is the default one. */
import type { ApiObject } from '../../client/client.ts'

/** The object that carries one of the annotations with `"true"`; of several the newest, and of equally old ones the first by name. */
export function newestMarked<T extends ApiObject>(objects: readonly T[], annotations: readonly string[]): T | undefined {
  const born = (o: T) => o.metadata.creationTimestamp ?? ''
  return objects
    .filter((o) => annotations.some((key) => o.metadata.annotations?.[key] === 'true'))
    .toSorted((a, b) => (born(a) !== born(b) ? (born(a) > born(b) ? -1 : 1) : (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))[0]
}
