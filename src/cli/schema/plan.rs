//! What a plan holds.

/// The types of a plan, as `domain::plan` and `domain::fleet::settings` write them.
pub(super) const TABLE: &str = r"
Plan # What migrates when, and what is held and why.
  apiVersion: 'refit.dev/v1'
  kind: 'Plan'
  metadata: Metadata # Where it comes from.
  waves: [Wave] # In order; the first is the canary.
  held: [Held] # Releases that are in no wave, each with its reasons.
  done: [release] # Releases that are on server-side apply already.
  unread: {string} # Clusters that could not be read, and why: their releases are unknown.
  untested?: [Untested] # Signatures that the first wave does not show.
  calendar?: Calendar # When it is done.
  relaxations?: [Relaxation] # What would make it sooner, the greatest gain first.
  summary: Summary # Totals.
  seals: Seals # Short checksums of the parts: they say where a plan was edited.
Metadata # Where a plan comes from.
  fleet: string # The fleet's name.
  digest: string # SHA-256 of the canonical JSON with this field empty.
  tool: string # Version of refit: run refuses another's plan.
  madeAt: time
  startBefore: time # run starts before it, or refuses the plan.
  inputs: {string} # Digests of what it was made from.
  managers: Managers
  limits: {Limits} # By cluster.
  writesPerSecond: count # Of the whole fleet.
  deadline: date # The last day.
  timezone?: string # IANA name, for times without a zone.
  settings: Settings # What the planner was told.
  clusters?: {ClusterFacts} # What settings look at in a cluster.
  policies?: [PolicyRule] # A run decides by them, whatever fleet.toml says by then.
  labels?: {{string}} # Labels of clusters, where policies ask for them.
Managers # Who owns fields afterwards.
  canonical: string
  aliases: [string] # Globs of older names of the same owner.
Limits # How hard a cluster may be pressed.
  writesPerSecond: count
  inFlight: count # Releases at once.
ClusterFacts
  labels?: {string}
  timezone?: string # IANA name, if it is not the fleet's.
  windows?: [string] # Names of its windows.
Wave # A batch of releases.
  number: count # From 1.
  name: string # canary, wave-2, or the stage's.
  stage?: count # Place of its stage, from 1; 0 is the canary.
  part?: count # Which of its stage's waves it is, from 1.
  lane?: string # The lane that it belongs to; none if waves are of the whole fleet.
  after?: [count] # Waves that are done and soaked before it starts.
  starts?: time # At the earliest, if nothing goes wrong.
  ends?: time # Last write done; the soak follows.
  soak?: count # How long it is watched, in seconds.
  approval?: bool # Somebody other than the author approves it before it starts.
  coverage: Coverage # Signatures seen when it is done.
  waitsFor?: [WaitsFor]
  spans?: [Span] # When it writes, in order.
  releases: [PlannedRelease] # In the order they start.
Coverage
  seen: count
  total: count
WaitsFor # What a wave waits for after the one before it.
  kind: string # soak, window, freeze, approval, deferral, cap, peers, dependency.
  detail: string # Its name, or a sentence.
  until?: time
Span # A stretch of time in which a wave writes.
  from: time
  to: time
PlannedRelease # A release that the plan migrates.
  release: release # cluster/namespace/name
  chart: Chart
  driver: 'secret' | 'configmap' # Where its records are.
  revision: count # The deployed one that the plan saw: another one is Stale.
  recordUid: string
  objects: count # To adopt.
  writes: count # One an object, and those of records.
  reason: string # Why in this wave.
  labels?: {string} # Its own; those of its cluster are in the metadata.
  risk?: Risk
  needs?: [release] # Releases of the plan that migrate before it.
  notes?: [Reason] # Reported, hold nothing.
  decisions?: [Decision] # What policies decided. A run does at most this.
Chart
  name: string
  version: string
Risk # A score with its parts.
  score: count # The sum.
  dependents?: count
  replicas?: count
  tier?: count
  drift?: count
  hooks?: count
  age?: count
Reason
  cause: string # A word that groups: active-conflict, pending-upgrade, ...
  object?: Object
  detail: string
Object
  apiVersion: string
  kind: string
  namespace?: string
  name: string
Decision # A decision about one field of one object.
  object: Object
  subject: 'active' | 'latent' | 'drop' | 'owned'
  field: string
  owner?: string
  action: Action
  rule?: RuleRef # None is the default.
  refused?: string # Why it is not done after all.
RuleRef
  place: string # fleet.toml:20
  why?: string
Action = 'adopt-live' | 'yield' | 'take' | 'hold' | 'retry' | 'fail' | 'let-go' | 'prune-next' | 'pin' | 'prune' | 'shed'
Held # A release that the plan does not touch.
  release: release
  outcome: 'NeedsChoice' | 'Blocked' | 'Ready' # Ready if only a release that it needs is held.
  reasons: [Reason] # Gravest first.
  until?: string # What would set it free.
Untested # A signature that the first wave does not show.
  signature: string
  wave: count # The wave that shows it first.
  releases: count # Releases that have it.
  why: string # Why no canary shows it.
Calendar # When a plan is done.
  done?: time # The last wave has soaked; absent if some wave never gets its window.
  slackDays?: integer # To the end of the deadline's day; negative is late.
  writingSeconds: count
  late?: [Late]
Late # A wave that misses the deadline.
  wave: count
  releases: count
  clusters: [string]
  done?: time # Absent is never.
Relaxation # A change of settings that makes the plan sooner done.
  change: [string]
  done: date
  gainDays: integer
  inTime: bool # Is the deadline kept with it?
Summary
  migrate: count
  needsChoice: count
  blocked: count
  waiting?: count # Ready, but held because one that they need is.
  done: count
  objects: count
  writes: count
  valueChanges: count # Always 0 in mode adopt.
Seals
  metadata: string
  waves: [string]
  held: string
  done: string
  unread: string
  summary: string
  calendar?: string
  relaxations?: string
  untested?: string
PolicyRule
  place: string
  kind?: [string]
  field?: [string]
  owner?: [string]
  namespace?: [string]
  labels?: {string}
  chart?: [string]
  action: Action
  why?: string
Settings # What a playbook and fleet.toml tell the planner.
  playbook: string
  stages: [Stage]
  canary: NoCanary | CoverageCanary
  caps: [Cap]
  peers: [Peers]
  lanes: 'fleet' | LanesBy
  risk: RiskRule
  heldDependency: 'goOn' | 'hold'
  windows: {Window}
  freezes: {Freeze}
  soak: [SoakRule]
  gates: [Gate]
  approvals: [string] # Globs of waves.
  budget: Budget
  cost: Cost
  seed: count
Stage
  name: string
  selector: string
  cut: 'whole' | CutSizes | CutDoubling | CutShares
CutSizes
  sizes: [SizeCount | SizePercent]
SizeCount
  count: count
SizePercent
  percent: count
CutDoubling
  doubling: Doubling
Doubling
  first: count
CutShares
  shares: [count]
NoCanary
  type: 'none'
CoverageCanary
  type: 'coverage'
  selector: string
  maxRisk?: count | null
  maxReleases?: count | null
Cap
  name: string
  count: 'releases' | 'clusters'
  per: string
  atMost: count
Peers
  name: string
  rule: PeerSides | PeerSame
PeerSides
  sides: [string]
PeerSame
  same: GroupSide
GroupSide
  group: string
  side: string
LanesBy
  by: string
RiskRule
  weights: Weights
  tierLabel: string
  high: count
  low: count
  order: 'lowFirst' | 'highFirst'
  deferLowUntil?: date | null
Weights
  dependents: count
  replicas: count
  drift: count
  hooks: count
  age: count
  tiers: {count}
Window
  rule: Weekly | Cron
  zone: Zone
Weekly
  type: 'weekly'
  days: string
  from: string
  to: string
Cron
  type: 'cron'
  opens: string
  forSeconds: count
Zone = 'fleet' | 'cluster' | NamedZone
NamedZone
  named: string
Freeze
  from: date
  to: date # Last day, included.
  zone: Zone
  selector: string
SoakRule
  name: string
  selector: string
  seconds: count
Gate
  name: string
  after?: [string]
  check: Health | ConflictRate | Ownership | Http | Prometheus | Command | Plugin
Health
  type: 'health'
  withinSeconds: count
ConflictRate
  type: 'conflictRate'
  atMost: count # In tenths of a percent.
Ownership
  type: 'ownership'
Http
  type: 'http'
  url: string
  status: count
Prometheus
  type: 'prometheus'
  url: string
  query: string
Command
  type: 'command'
  argv: [string]
  timeoutSeconds: count
Plugin
  type: 'plugin'
  name: string
Budget # Per wave; absent is without a bound.
  failed?: count
  undone?: count
  conflictRate?: count # In tenths of a percent.
  spent: 'stop' | 'undo-cluster' | 'undo-wave'
Cost
  millisPerWrite: count
  measured?: {count} # By cluster.
";
