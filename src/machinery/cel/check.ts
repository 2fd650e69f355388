/** The type of an expression and of everything in it, and which overloads a call can mean. */
import { childrenOf, qualifiedName, type Call, type Expr, type Fold } from './ast.ts'
import { compileError, type CelIssue } from './errors.ts'
import type { Functions, Overload } from './functions.ts'
import { sortByKeys } from './macros.ts'
import { createTyping, type Typing } from './typing.ts'
import { BOOL, DYN, ERROR, INT, isDyn, optionalOf, typeName, typeOf, type CelObjectType, type CelType } from './types.ts'

export interface CheckOptions {
  readonly variables: ReadonlyMap<string, CelType>
  readonly functions: Functions
  /** Type names that are values (`int`), and object types that can be made (`Object.spec{…}`). */
  readonly types: Types
}

export interface Types { get(name: string): CelType | undefined }

export interface Checked {
  readonly root: Expr
  readonly type: CelType
  typeOf(expr: Expr): CelType
  /** The overloads that a call can mean, and whether its target is part of the function's name. */
  callOf(expr: Call | Fold): { readonly overloads: readonly Overload[]; readonly args: readonly Expr[] }
  /** The type that a name stands for, when it is no variable. */
  typeNamed(expr: Expr): CelType | undefined
  /** The variable with a dot in its name that a selection means (`authorizer.requestResource`). */
  variableOf(expr: Expr): string | undefined
}

/** Checks an expression. Throws `CelError` with everything that is wrong, worded as cel-go words it. */
export function checkCel(source: string, root: Expr, options: CheckOptions): Checked {
  const checker = new Checker(options)
  checker.check(root)
  if (checker.issues.length > 0) throw compileError(source, checker.issues.toSorted((a, b) => a.offset - b.offset))
  const resolved = new Map<Expr, CelType>()
  const finalType = (expr: Expr): CelType => {
    let type = resolved.get(expr)
    if (!type) resolved.set(expr, type = checker.typing.final(checker.types.get(expr) ?? DYN))
    return type
  }
  return {
    root,
    type: finalType(root),
    typeOf: finalType,
    callOf: (expr) => checker.calls.get(expr) ?? { overloads: [], args: childrenOf(expr) },
    typeNamed: (expr) => checker.named.get(expr),
    variableOf: (expr) => checker.dotted.get(expr),
  }
}

/** More is not said of one expression. */
const maxIssues = 100

type Scope = { readonly name: string; readonly type: CelType; readonly outer: Scope } | undefined

class Checker {
  readonly issues: CelIssue[] = []
  readonly types = new Map<Expr, CelType>()
  readonly calls = new Map<Expr, { overloads: readonly Overload[]; args: readonly Expr[] }>()
  readonly named = new Map<Expr, CelType>()
  readonly dotted = new Map<Expr, string>()
  readonly typing: Typing = createTyping()
  private readonly options: CheckOptions
  /** How many calls there are around that take literals of mixed types. */
  private mixed = 0
  private scope: Scope

  constructor(options: CheckOptions) { this.options = options }

  check(expr: Expr): CelType {
    const type = this.infer(expr)
    this.types.set(expr, type)
    return type
  }

  private issue(offset: number, message: string): CelType {
    if (this.issues.length < maxIssues && !this.issues.some((had) => had.offset === offset && had.message === message)) this.issues.push({ offset, message })
    return ERROR
  }

  private undeclared(pos: number, name: string): CelType { return this.issue(pos, `undeclared reference to '${name}' (in container '')`) }
  private show(type: CelType): string { return typeName(this.typing.final(type)) }

  private infer(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal': return expr.type
      case 'ident': return this.variable(expr.name) ?? this.typeValue(expr, expr.name) ?? this.undeclared(expr.pos, expr.name)
      case 'select': return this.select(expr)
      case 'call': return this.call(expr)
      case 'list': return { kind: 'list', element: this.join(expr.elements.map(({ value, optional }) => ({ expr: value, type: this.element(value, optional) }))) }
      case 'map': return this.map(expr)
      case 'struct': return this.struct(expr)
      case 'fold': return this.fold(expr)
      case 'optMap': {
        const target = this.typing.resolve(this.check(expr.target))
        if (target.kind !== 'optional' && !isDyn(target)) return this.issue(expr.pos, `found no matching overload for '${expr.flat ? 'optFlatMap' : 'optMap'}' applied to '${this.show(target)}'`)
        const body = this.within([expr.variable], [target.kind === 'optional' ? target.value : DYN], () => this.check(expr.body))
        if (!expr.flat) return optionalOf(body)
        const made = this.typing.resolve(body)
        return made.kind === 'optional' || made.kind === 'error' || isDyn(made) ? body : this.issue(expr.pos, `found no matching overload for '_?_:_' applied to '(bool, ${this.show(made)}, optional_type(dyn))'`)
      }
    }
  }

  private variable(name: string): CelType | undefined {
    for (let scope = this.scope; scope; scope = scope.outer) if (scope.name === name) return scope.type
    return this.options.variables.get(name)
  }

  private shadowed(name: string): boolean {
    for (let scope = this.scope; scope; scope = scope.outer) if (scope.name === name) return true
    return false
  }

  private typeValue(expr: Expr, name: string): CelType | undefined {
    const type = this.options.types.get(name)
    if (!type) return undefined
    this.named.set(expr, type)
    return typeOf(type)
  }

  private within<T>(names: readonly string[], types: readonly CelType[], run: () => T): T {
    const outer = this.scope
    names.forEach((name, i) => { this.scope = { name, type: types[i] as CelType, outer: this.scope } })
    try {
      return run()
    } finally {
      this.scope = outer
    }
  }

  private select(expr: Expr & { kind: 'select' }): CelType {
    const name = qualifiedName(expr)
    const dotted = name === undefined || this.shadowed(name.slice(0, name.indexOf('.'))) ? undefined : this.options.variables.get(name)
    if (dotted) {
      this.dotted.set(expr, name as string)
      return dotted
    }
    if (name !== undefined && this.variable(name.slice(0, name.indexOf('.'))) === undefined) {
      const found = this.typeValue(expr, name)
      if (found) return found
    }
    const operand = this.typing.resolve(this.check(expr.operand))
    const field = this.field(operand, expr.field, expr.pos)
    return expr.test ? BOOL : field
  }

  /** The type of `operand.field`; of an optional, an optional. */
  private field(operand: CelType, name: string, pos: number): CelType {
    switch (operand.kind) {
      case 'map': return operand.value
      case 'optional': return optionalOf(this.field(this.typing.resolve(operand.value), name, pos))
      case 'object': return operand.fields.get(name)?.type ?? (operand.open ? DYN : this.issue(pos, `undefined field '${name}'`))
      case 'dyn': case 'param': return DYN
      case 'error': return ERROR
      default: return this.issue(pos, `type '${this.show(operand)}' does not support field selection`)
    }
  }

  private call(expr: Call): CelType {
    if (expr.fn === '_?._') return this.optionalField(expr)
    const qualified = expr.target && qualifiedName(expr.target)
    const namespaced = qualified === undefined ? undefined : this.options.functions.get(`${qualified}.${expr.fn}`)
    const all = namespaced ?? this.options.functions.get(expr.fn)
    if (!all) {
      if (expr.target) this.check(expr.target)
      for (const each of expr.args) this.check(each)
      return this.undeclared(expr.pos, expr.fn)
    }
    const member = expr.target !== undefined && !namespaced
    const args = member ? [expr.target as Expr, ...expr.args] : expr.args
    // What is formatted may be of different types.
    if (expr.fn === 'format') this.mixed++
    const types = args.map((each) => (expr.fn === '_&&_' || expr.fn === '_||_' ? this.bool(each) : this.check(each)))
    if (expr.fn === 'format') this.mixed--
    return this.resolve(expr, namespaced ? `${qualified}.${expr.fn}` : expr.fn, all.filter((o) => o.member === member && o.args.length === args.length), args, types, member)
  }

  private resolve(expr: Call | Fold, name: string, candidates: readonly Overload[], args: readonly Expr[], types: readonly CelType[], member: boolean): CelType {
    const fitting: Overload[] = []
    let result: CelType | undefined
    for (const candidate of candidates) {
      const { args: wanted, result: gives } = this.typing.instantiate(candidate)
      if (!this.typing.assignableAll(wanted, types)) continue
      fitting.push(candidate)
      const type = this.typing.resolveDeep(gives)
      result = result === undefined || this.typing.same(result, type) ? result ?? type : DYN
    }
    this.calls.set(expr, { overloads: fitting, args })
    if (result) return types.some((type) => type.kind === 'error') && fitting.length > 1 ? ERROR : result
    const shown = types.map((type) => this.show(type))
    const applied = member ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`
    return this.issue(expr.pos, `found no matching overload for '${name}' applied to '${applied}'`)
  }

  private optionalField(expr: Call): CelType {
    const [operand, name] = expr.args as [Expr, Expr & { kind: 'literal' }]
    this.check(name)
    const type = this.typing.resolve(this.check(operand))
    const field = this.field(type, name.value as string, expr.pos)
    return field.kind === 'error' || type.kind === 'optional' ? field : optionalOf(field)
  }

  /** The type of an element of a literal; of `?element`, what is in the optional. */
  private element(expr: Expr, optional: boolean): CelType {
    const type = this.check(expr)
    if (!optional) return type
    const found = this.typing.resolve(type)
    if (found.kind === 'optional') return found.value
    return isDyn(found) ? DYN : this.issue(expr.pos, `expected type 'optional_type(${this.show(type)})' but found '${this.show(type)}'`)
  }

  /** The one type of all elements of a literal: Kubernetes does not allow mixed ones. */
  private join(elements: readonly { readonly expr: Expr; readonly type: CelType }[]): CelType {
    let joined: CelType | undefined
    for (const { expr, type } of elements) {
      if (joined === undefined) joined = type
      else if (this.typing.assignable(joined, type)) joined = isDyn(this.typing.resolve(type)) ? type : joined
      else if (this.mixed > 0) joined = DYN
      else return this.issue(expr.pos, `expected type '${this.show(joined)}' but found '${this.show(type)}'`)
    }
    return joined ?? this.typing.fresh()
  }

  private map(expr: Expr & { kind: 'map' }): CelType {
    const keys = expr.entries.map(({ key }) => ({ expr: key, type: this.check(key) }))
    const key = this.join(keys)
    const found = this.typing.resolve(key)
    if (['double', 'list', 'map', 'null', 'bytes', 'object'].includes(found.kind)) this.issue(keys[0]?.expr.pos ?? expr.pos, `unsupported map key type: ${this.show(found)}`)
    return { kind: 'map', key, value: this.join(expr.entries.map(({ value, optional }) => ({ expr: value, type: this.element(value, optional) }))) }
  }

  private struct(expr: Expr & { kind: 'struct' }): CelType {
    const type = this.options.types.get(expr.name)
    if (type?.kind !== 'object') {
      for (const { value } of expr.fields) this.check(value)
      return type ? this.issue(expr.pos, `'${expr.name}' is not a message type`) : this.undeclared(expr.pos, expr.name)
    }
    this.named.set(expr, type)
    for (const field of expr.fields) this.structField(type, field)
    return type
  }

  private structField(type: CelObjectType, { name, value, optional, pos }: { readonly name: string; readonly value: Expr; readonly optional: boolean; readonly pos: number }): void {
    const wanted = type.fields.get(name)?.type ?? (type.open ? DYN : this.issue(pos, `undefined field '${name}'`))
    const given = this.element(value, optional)
    if (!this.typing.assignable(wanted, given)) this.issue(pos, `expected type of field '${name}' is '${this.show(wanted)}' but provided type is '${this.show(given)}'`)
  }

  private fold(expr: Fold): CelType {
    const range = this.typing.resolve(this.check(expr.range))
    const variables = this.foldVariables(expr, range)
    return this.within(expr.variables, variables, () => {
      if (expr.op === 'all' || expr.op === 'exists') return this.bool(expr.body)
      if (expr.op === 'existsOne') return this.decides(expr.body, expr, INT) ? BOOL : ERROR
      if (expr.op === 'filter') {
        const kept: CelType = { kind: 'list', element: variables[0] as CelType }
        return this.decides(expr.body, expr, kept) ? kept : ERROR
      }
      const body = this.check(expr.body)
      const made: CelType = expr.op === 'transformMap' ? { kind: 'map', key: variables[0] as CelType, value: body } : expr.op === 'transformMapEntry' ? body : { kind: 'list', element: body }
      if (expr.filter && !this.decides(expr.filter, expr, made)) return ERROR
      if (expr.op === 'sortBy') return this.resolve(expr, sortByKeys, this.options.functions.get(sortByKeys) ?? [], [expr.range], [range, { kind: 'list', element: body }], true)
      if (expr.op === 'map' || expr.op === 'transformList') return { kind: 'list', element: body }
      if (expr.op === 'transformMap') return { kind: 'map', key: variables[0] as CelType, value: body }
      const entry = this.typing.resolve(body)
      return entry.kind === 'map' || isDyn(entry) ? entry : this.issue(expr.body.pos, `found no matching overload for 'cel.@mapInsert' applied to '(map(dyn, dyn), ${this.show(entry)})'`)
    })
  }

  private foldVariables(expr: Fold, range: CelType): readonly CelType[] {
    const two = expr.variables.length === 2
    switch (range.kind) {
      case 'list': return two ? [INT, range.element] : [range.element]
      case 'map': return two ? [range.key, range.value] : [range.key]
      case 'error': return [ERROR, ERROR]
      case 'dyn': case 'param': return [DYN, DYN]
      default:
        this.issue(expr.op === 'sortBy' ? expr.pos : expr.range.pos, `expression of type '${this.show(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`)
        return [ERROR, ERROR]
    }
  }

  /** The body of a macro that asks yes or no. */
  /** Operands of `&&` and `||`, and what `all` and `exists` ask. */
  private bool(expr: Expr): CelType {
    const type = this.check(expr)
    if (!this.typing.assignable(BOOL, type)) this.issue(expr.pos, `expected type 'bool' but found '${this.show(type)}'`)
    return BOOL
  }

  /** What a macro asks of each element, which its expansion makes a conditional between two of what it gathers. */
  private decides(test: Expr, { pos }: Fold, gathered: CelType): boolean {
    const type = this.check(test)
    if (this.typing.assignable(BOOL, type)) return true
    this.issue(pos, `found no matching overload for '_?_:_' applied to '(${this.show(type)}, ${this.show(gathered)}, ${this.show(gathered)})'`)
    return false
  }
}
