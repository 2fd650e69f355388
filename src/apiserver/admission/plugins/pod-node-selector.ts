/**
 * Pods of a namespace stay on its nodes: the selector in the namespace's annotation, or the cluster's own, is added to theirs, and one that says
 * something else is refused. The configuration may also say which labels pods of a namespace may ask for at all. Off by default.
 */
import type { core } from '../../../api/index.ts'
import { ApiError } from '../../../machinery/errors.ts'
import { labelValue, qualifiedName } from '../../../machinery/names.ts'
import { parseYaml } from '../../../machinery/yaml.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { withNamespace } from '../namespaces.ts'
import { createsPod, podOf, refused, withSpec } from '../pods.ts'

type Labels = Readonly<Record<string, string>>
const annotation = 'scheduler.alpha.kubernetes.io/node-selector'
const forAll = 'clusterDefaultNodeSelector'

/** By namespace, what its pods may ask for; under `clusterDefaultNodeSelector` what is added where a namespace says nothing. */
export type PodNodeSelectors = ReadonlyMap<string, Labels>

/** Reads `podNodeSelectorPluginConfig`, a map of texts. Throws an `Error` of one line. */
export function parsePodNodeSelector(text: string): PodNodeSelectors {
  const { podNodeSelectorPluginConfig: given, ...others } = parseYaml(text) as { readonly podNodeSelectorPluginConfig?: unknown }
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new Error(`${unknown}: unknown field`)
  if (given === undefined || given === null) return new Map()
  if (typeof given !== 'object' || Array.isArray(given)) throw new Error('podNodeSelectorPluginConfig: it must be a map of selectors by namespace')
  return new Map(Object.entries(given).map(([namespace, selector]) => {
    try {
      if (typeof selector !== 'string' && selector !== null) throw new Error('it must be a text')
      return [namespace, labelsOf(selector ?? '')]
    } catch (error) {
      throw new Error(`podNodeSelectorPluginConfig.${namespace}: ${(error as Error).message}`, { cause: error })
    }
  }))
}

/** The plugin PodNodeSelector. `selectors` are the configuration's, by namespace. */
export function podNodeSelector(env: Pick<ServerEnvironment, 'lister' | 'client'>, selectors: PodNodeSelectors = new Map()): AdmissionPlugin {
  const inNamespace = withNamespace(env)
  /** What every pod of the namespace gets. */
  const wantedIn = ({ metadata }: core.Namespace): Labels => {
    const own = metadata.annotations?.[annotation]
    return own === undefined ? selectors.get(forAll) ?? {} : readable(own)
  }
  const check = (a: AdmissionAttributes, wanted: Labels, asked: Labels) => {
    if (Object.entries(wanted).some(([key, value]) => Object.hasOwn(asked, key) && asked[key] !== value)) throw refused(a, 'pod node label selector conflicts with its namespace node label selector')
  }
  const checkAllowed = (a: AdmissionAttributes, asked: Labels) => {
    const allowed = selectors.get(a.namespace)
    if (!allowed || Object.keys(allowed).length === 0) return
    if (Object.entries(asked).some(([key, value]) => !Object.hasOwn(allowed, key) || allowed[key] !== value)) throw refused(a, 'pod node label selector labels conflict with its namespace whitelist')
  }
  return {
    name: 'PodNodeSelector',
    handles: createsPod,
    mutate: (a) => inNamespace(a.namespace, (namespace) => {
      const pod = podOf(a)
      const own = pod.spec.nodeSelector ?? {}
      const wanted = wantedIn(namespace)
      check(a, wanted, own)
      const merged = { ...wanted, ...own }
      checkAllowed(a, merged)
      return Object.keys(wanted).every((key) => Object.hasOwn(own, key)) ? pod : withSpec(pod, { nodeSelector: merged })
    }) as never,
    validate: (a) => inNamespace(a.namespace, (namespace) => {
      const { nodeSelector = {} } = podOf(a).spec
      check(a, wantedIn(namespace), nodeSelector)
      checkAllowed(a, nodeSelector)
    }),
  }
}

/** The labels of an annotation; who wrote it is not who is told. */
function readable(selector: string): Labels {
  try {
    return labelsOf(selector)
  } catch (error) {
    throw new ApiError(500, '', (error as Error).message)
  }
}

/** `a=b,c=d`. Throws an `Error` for any other form. */
function labelsOf(selector: string): Labels {
  if (selector === '') return {}
  return Object.fromEntries(selector.split(',').map((label) => {
    const parts = label.split('=')
    if (parts.length !== 2) throw new Error(`invalid selector: [${parts.join(' ')}]`)
    const [key, value] = parts.map((part) => part.trim()) as [string, string]
    const wrong = qualifiedName(key)
    if (wrong.length > 0) throw new Error(`invalid label key ${JSON.stringify(key)}: ${wrong.join('; ')}`)
    const wrongValue = labelValue(value)
    if (wrongValue.length > 0) throw new Error(`invalid label value: ${JSON.stringify(value)}: at key: ${JSON.stringify(key)}: ${wrongValue.join('; ')}`)
    return [key, value]
  }))
}
