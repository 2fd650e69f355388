/** CEL, loaded when the first expression is there: a cluster without any has neither its code nor its tables in memory. */
export type Cel = typeof import('../../../machinery/cel/index.ts')

let loaded: Cel | undefined
let loading: Promise<Cel> | undefined

/** Loads it, once. */
export async function loadCel(): Promise<Cel> {
  loading ??= import('../../../machinery/cel/index.ts')
  return (loaded ??= await loading)
}

/** For what cannot wait: strategies have it loaded by `ready`. Throws when it was not. */
export function cel(): Cel {
  if (!loaded) throw new Error('CEL is not loaded')
  return loaded
}

/** For a strategy's `ready`: loads it where it is needed and not there. */
export const celReady = (needed: boolean): Promise<void> | undefined => (needed && !loaded ? loadCel().then(() => undefined) : undefined)
