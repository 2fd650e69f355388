/** The admission chain: every plugin in Kubernetes's order, first all that may change the object, then all that may refuse it. */
import { ApiError, internal } from '../../machinery/errors.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Observe } from '../metrics/series.ts'
import type { AdmissionAttributes, AdmissionChain, AdmissionPlugin } from './admission.ts'
import { createAdmissionMetrics, type AdmissionMetrics, type StepType } from './metrics.ts'
import { createReinvocation, type Reinvocation } from './reinvocation.ts'

/**
 * Plugins run one after the other, each on what the one before it made of the object. The first refusal ends it. Only those that ask
 * somebody are waited for.
 */
export function createAdmissionChain(plugins: readonly AdmissionPlugin[], metrics: AdmissionMetrics = createAdmissionMetrics()): AdmissionChain {
  const mutating = plugins.filter((plugin) => plugin.mutate).map((plugin) => createStep(plugin, createStopwatch(metrics, plugin.name, 'admit')))
  const hearingOfAll = mutating.filter(({ plugin }) => plugin.hearsOfAll)
  const validating = plugins.filter((plugin) => plugin.validate).map((plugin) => createStep(plugin, createStopwatch(metrics, plugin.name, 'validate')))
  const [admitted, validated] = [createStopwatch(metrics, undefined, 'admit'), createStopwatch(metrics, undefined, 'validate')]

  /** Goes on from the step at `from`. It is a promise only from a plugin on that asks somebody: most writes meet none. */
  const mutate = (steps: readonly Step[], from: number, attributes: AdmissionAttributes, runs: Runs): Promise<ApiObject | undefined> | ApiObject | undefined => {
    let current = attributes
    for (let i = from; i < steps.length; i++) {
      const { plugin, passed, refused } = steps[i]!
      if (!plugin.handles(current)) continue
      const { operation } = current
      const begun = performance.now()
      try {
        const answer = plugin.mutate!(plugin.hearsOfAll ? { ...current, reinvocation: reinvocationIn(runs) } : current)
        if (answer instanceof Promise) {
          const before = current
          return answer.then((made) => (passed(operation, begun), mutate(steps, i + 1, withObject(before, made), runs)), (error) => refused(operation, begun, error))
        }
        current = withObject(current, answer)
      } catch (error) {
        refused(operation, begun, error)
      }
      passed(operation, begun)
    }
    return current.object
  }
  const validate = (from: number, attributes: AdmissionAttributes): Promise<void> | void => {
    const { operation } = attributes
    for (let i = from; i < validating.length; i++) {
      const { plugin, passed, refused } = validating[i]!
      if (!plugin.handles(attributes)) continue
      const begun = performance.now()
      try {
        const answer = plugin.validate!(attributes)
        if (answer instanceof Promise) return answer.then(() => (passed(operation, begun), validate(i + 1, attributes)), (error) => refused(operation, begun, error))
      } catch (error) {
        refused(operation, begun, error)
      }
      passed(operation, begun)
    }
  }
  return {
    mutate: (attributes) => timed(admitted, attributes, () => {
      const steps = attributes.operation === 'DELETE' || attributes.operation === 'CONNECT' ? hearingOfAll : mutating
      const runs: Runs = { made: undefined, second: false }
      const again = (object: ApiObject | undefined) => {
        if (!runs.made?.wanted()) return object
        runs.second = true
        return mutate(steps, 0, withObject(attributes, object), runs)
      }
      const answer = mutate(steps, 0, attributes, runs)
      return answer instanceof Promise ? answer.then(again) : again(answer)
    }),
    validate: (attributes) => timed(validated, attributes, () => validate(0, attributes)),
  }
}

/** The runs through the plugins that mutate: what is known of both is made when the first plugin asks. */
interface Runs {
  made: ReturnType<typeof createReinvocation> | undefined
  second: boolean
}

function reinvocationIn(runs: Runs): Reinvocation {
  runs.made ??= createReinvocation()
  return runs.second ? runs.made.second : runs.made.first
}

/** A plugin at its place in the chain, with the observation of how long it took. */
interface Step {
  readonly plugin: AdmissionPlugin
  passed(operation: Operation, begun: number): void
  /** Throws what the client is told. */
  refused(operation: Operation, begun: number, error: unknown): never
}

const createStep = (plugin: AdmissionPlugin, stopwatch: Stopwatch): Step => ({
  plugin,
  passed: (operation, begun) => stopwatch(operation, false, begun),
  refused(operation, begun, error) {
    stopwatch(operation, true, begun)
    throw named(plugin, error)
  },
})

/** The attributes with what a plugin made of the object. */
const withObject = (attributes: AdmissionAttributes, object: ApiObject | undefined): AdmissionAttributes => (object === attributes.object ? attributes : { ...attributes, object })

type Operation = AdmissionAttributes['operation']
type Stopwatch = (operation: Operation, rejected: boolean, begun: number) => void

/** Observes how long a plugin took, or all of them (`name` undefined), since `begun` in milliseconds of `performance.now`. */
function createStopwatch(metrics: AdmissionMetrics, name: string | undefined, type: StepType): Stopwatch {
  const known: Record<string, Observe> = {}
  return (operation, rejected, begun) => {
    const observe = known[rejected ? `!${operation}` : operation] ??= metrics.plugin(name, type, operation, rejected)
    observe((performance.now() - begun) / 1000)
  }
}

function timed<T>(stopwatch: Stopwatch, { operation }: AdmissionAttributes, run: () => Promise<T> | T): Promise<T> | T {
  const begun = performance.now()
  let answer: Promise<T> | T
  try {
    answer = run()
  } catch (error) {
    stopwatch(operation, true, begun)
    throw error
  }
  if (answer instanceof Promise) {
    answer.then(() => stopwatch(operation, false, begun), () => stopwatch(operation, true, begun))
  } else stopwatch(operation, false, begun)
  return answer
}

/** What is not an answer for the client becomes one that names the plugin. */
function named(plugin: AdmissionPlugin, error: unknown): unknown {
  if (error instanceof ApiError) return error
  return Object.assign(internal(`admission plugin ${plugin.name}: ${error instanceof Error ? error.message : String(error)}`), { cause: error })
}
