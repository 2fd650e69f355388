/** The macros that iterate over a list or map. Each iteration costs what cel-go's expansion of the macro costs. */
import type { Fold } from './ast.ts'
import { CelCostExceeded, Failure, fail, noSuchOverload } from './errors.ts'
import { invocation, spend, type Frame, type Invoke, type Planner, type Scope, type Step } from './plan.ts'
import { CelList, CelMap, HashMap, normalKey, typeNameOf, type CelValue } from './values.ts'

/** The cost of an iteration besides its body, and of the end; `kept` and `dropped` for iterations with that test result. */
export const foldCost = {
  // `early`: what is left is looked at, and not gone through.
  all: { turn: 3, early: 2, end: 1 },
  exists: { turn: 4, early: 3, end: 1 },
  existsOne: { kept: 2, dropped: 0, end: 2 },
  filter: { kept: 13, dropped: 0, end: 1 },
  map: { kept: 12, dropped: 0, end: 1 },
  transformMap: { kept: 3, dropped: 0, end: 1 },
  transformMapEntry: { kept: 2, dropped: 0, end: 1 },
} as const

interface Loop {
  readonly range: Step
  /** Sets the iteration's variables. */
  turns(frame: Frame, value: CelValue, turn: (last: boolean) => boolean): void
  readonly filter: Step | undefined
  readonly body: Step
  /** What is made of an element is always the same: the list of it is there already. */
  readonly constant: boolean
  readonly first: number
}

export function planFold(planner: Planner, expr: Fold, scope: Scope): Step {
  const first = scope.next
  const two = expr.variables.length === 2
  const inner: Scope = { slots: new Map([...scope.slots, ...expr.variables.map((name, i): [string, number] => [name, first + i])]), next: first + expr.variables.length }
  const loop: Loop = {
    first,
    range: planner.plan(expr.range, scope),
    filter: expr.filter && planner.plan(expr.filter, inner),
    body: planner.plan(expr.body, inner),
    constant: planner.constant(expr.body) !== undefined,
    turns: (frame, value, turn) => (two ? eachPair : each)(frame, value, first, turn),
  }
  switch (expr.op) {
    case 'all': return quantifier(loop, false)
    case 'exists': return quantifier(loop, true)
    case 'existsOne': return existsOne(loop)
    case 'filter': return filter(loop)
    case 'map': case 'transformList': return mapList(loop)
    case 'sortBy': return sortBy(loop, invocation(planner.checked.callOf(expr).overloads))
    case 'transformMap': return mapMap(loop, foldCost.transformMap, (f, made) => put(made, f.locals[first] as CelValue, loop.body(f)))
    case 'transformMapEntry': return mapMap(loop, foldCost.transformMapEntry, (f, made) => {
      const entry = loop.body(f)
      if (!(entry instanceof CelMap)) return noSuchOverload()
      for (const key of entry.keys()) put(made, key, entry.get(key) as CelValue)
    })
  }
}

/** cel-go's name for the type of a value in messages of its loops. */
function goTypeOf(value: CelValue): string {
  const name = typeNameOf(value)
  const short = name.slice(name.lastIndexOf('.') + 1)
  switch (name) {
    case 'null_type': return 'types.Null'
    case 'optional_type': return '*types.Optional'
    case 'type': return '*types.Type'
    default: return `${name.startsWith('kubernetes.') ? 'cel' : 'types'}.${short.charAt(0).toUpperCase()}${short.slice(1)}`
  }
}

function each(f: Frame, value: CelValue, slot: number, turn: (last: boolean) => boolean): void {
  if (value instanceof CelList) {
    for (let i = 0; i < value.size; i++) {
      f.locals[slot] = value.at(i)
      if (!turn(i === value.size - 1)) return
    }
  } else if (value instanceof CelMap) {
    const keys = value.keys()
    for (const [i, key] of keys.entries()) {
      f.locals[slot] = key
      if (!turn(i === keys.length - 1)) return
    }
  } else fail(`got '${goTypeOf(value)}', expected iterable type`)
}

function eachPair(f: Frame, value: CelValue, slot: number, turn: (last: boolean) => boolean): void {
  if (value instanceof CelList) {
    for (let i = 0; i < value.size; i++) {
      f.locals[slot] = BigInt(i)
      f.locals[slot + 1] = value.at(i)
      if (!turn(i === value.size - 1)) return
    }
  } else if (value instanceof CelMap) {
    const keys = value.keys()
    for (const [i, key] of keys.entries()) {
      f.locals[slot] = key
      f.locals[slot + 1] = value.get(key) as CelValue
      if (!turn(i === keys.length - 1)) return
    }
  } else fail(`unsupported comprehension range type: ${goTypeOf(value)}`)
}

/** `all` (ends at the first false) and `exists` (at the first true); an error counts only if no element decides. */
function quantifier({ range, turns, body }: Loop, decides: boolean): Step {
  const { turn, early, end } = decides ? foldCost.exists : foldCost.all
  return (f) => {
    const value = range(f)
    let failure: Failure | undefined
    let decided = false
    turns(f, value, (last) => {
      spend(f, turn)
      try {
        const result = body(f)
        if (result === decides) {
          decided = true
          if (!last) spend(f, early)
        }
        if (typeof result !== 'boolean') failure ??= new Failure('no such overload')
      } catch (error) {
        if (error instanceof CelCostExceeded || !(error instanceof Failure)) throw error
        failure ??= error
      }
      return !decided
    })
    spend(f, end)
    if (decided) return decides
    if (failure) throw failure
    return !decides
  }
}

const boolean = (value: CelValue): boolean => (typeof value === 'boolean' ? value : noSuchOverload())

function existsOne({ range, turns, body }: Loop): Step {
  const { kept, dropped, end } = foldCost.existsOne
  return (f) => {
    let count = 0
    turns(f, range(f), () => {
      const found = boolean(body(f))
      spend(f, found ? kept : dropped)
      if (found) count++
      return true
    })
    spend(f, end)
    return count === 1
  }
}

function filter({ range, turns, body, first }: Loop): Step {
  const { kept, dropped, end } = foldCost.filter
  return (f) => {
    const items: CelValue[] = []
    turns(f, range(f), () => {
      const item = f.locals[first] as CelValue
      const wanted = boolean(body(f))
      spend(f, wanted ? kept : dropped)
      if (wanted) items.push(item)
      return true
    })
    spend(f, end)
    return new CelList(items)
  }
}

const mapList = (loop: Loop): Step => (f) => mapped(loop, f, loop.range(f))

/** The result of the body for each element. */
function mapped({ turns, filter: test, body, constant }: Loop, f: Frame, value: CelValue): CelList {
  const { dropped, end } = foldCost.map
  const kept = foldCost.map.kept - (constant ? 10 : 0)
  const items: CelValue[] = []
  turns(f, value, () => {
    if (test && !boolean(test(f))) spend(f, dropped)
    else {
      items.push(body(f))
      spend(f, kept)
    }
    return true
  })
  spend(f, end)
  return new CelList(items)
}

/** The list is a variable of its own, read once for the keys and once to be sorted. */
const sortBy = (loop: Loop, sort: Invoke): Step => (f) => {
  const list = loop.range(f)
  spend(f, 2)
  return sort(f, [list, mapped(loop, f, list)])
}

type Made = Map<string | bigint | boolean | number, readonly [CelValue, CelValue]>

function put(made: Made, key: CelValue, value: CelValue): void {
  const normal = normalKey(key) ?? fail('unsupported key type')
  if (made.has(normal)) fail(`insert failed: key ${typeof key === 'string' ? key : String(normal)} already exists`)
  made.set(normal, [key, value])
}

function mapMap({ range, turns, filter: test }: Loop, { kept, dropped, end }: { kept: number; dropped: number; end: number }, add: (f: Frame, made: Made) => void): Step {
  return (f) => {
    const made: Made = new Map()
    turns(f, range(f), () => {
      const wanted = !test || boolean(test(f))
      if (wanted) add(f, made)
      spend(f, wanted ? kept : dropped)
      return true
    })
    spend(f, end)
    return new HashMap(made)
  }
}
