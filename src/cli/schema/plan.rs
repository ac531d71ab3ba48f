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
  untested?: [Untested]1+ # Signatures that the first wave does not show.
  calendar?: Calendar # When it is done.
  relaxations?: [Relaxation]1+ # What would make it sooner, the greatest gain first.
  summary: Summary # Totals.
  seals: Seals # Short checksums of the parts: they say where a plan was edited.
Metadata # Where a plan comes from.
  fleet: string # The fleet's name.
  digest: string # SHA-256 of the canonical JSON with this field empty.
  tool: string # Version of refit: run refuses another's plan.
  madeAt: time
  lookedAt?: time # When the clusters were read, of a plan from a saved inventory.
  startBefore: time # run starts before it, or refuses the plan.
  inputs: {string} # Digests of what it was made from.
  managers: Managers
  limits: {Limits} # By cluster.
  writesPerSecond: u32 # Of the whole fleet.
  deadline: date # The last day.
  timezone: string # IANA name, for times without a zone.
  settings: Settings # What the planner was told.
  clusters?: {ClusterFacts}+ # What settings look at in a cluster.
  policies?: [PolicyRule]1+ # A run decides by them, whatever fleet.toml says by then.
  labels?: {{string}}+ # Labels of clusters, where policies ask for them.
Managers # Who owns fields afterwards.
  canonical: string
  aliases: [string] # Globs of older names of the same owner.
Limits # How hard a cluster may be pressed.
  writesPerSecond: u32
  inFlight: u32 # Releases at once.
ClusterFacts
  labels?: {string}+
  timezone?: string # IANA name, if it is not the fleet's.
  windows?: [string]1+ # Names of its windows.
Wave # A batch of releases.
  number: u32 # From 1.
  name: string # canary, wave-2, or the stage's.
  stage: u32 # Place of its stage, from 1; 0 is the canary.
  part: u32 # Which of its stage's waves it is, from 1.
  lane?: string # The lane that it belongs to; none if waves are of the whole fleet.
  after?: [u32]1+ # Waves that are done and soaked before it starts.
  starts?: time # At the earliest, if nothing goes wrong.
  ends?: time # Last write done; the soak follows.
  soak?: u32 # How long it is watched, in seconds.
  approval?: bool # Somebody other than the author approves it before it starts.
  coverage: Coverage # Signatures seen when it is done.
  waitsFor?: [WaitsFor]1+
  spans?: [Span]1+ # When it writes, in order.
  releases: [PlannedRelease] # In the order they start.
Coverage
  seen: u32
  total: u32
WaitsFor # What a wave waits for after the one before it.
  kind: string # soak, window, freeze, approval, deferral, wave.
  detail: string # Its name, or a sentence.
  until?: time
Span # A stretch of time in which a wave writes.
  from: time
  to: time
PlannedRelease # A release that the plan migrates.
  release: release # cluster/namespace/name
  chart: Chart
  driver: 'secret' | 'configmap' # Where its records are.
  revision: u32 # The deployed one that the plan saw: another one is Stale.
  recordUid: string
  objects: u32 # To adopt.
  writes: u32 # One an object, and those of records.
  reason: string # Why in this wave.
  labels?: {string}+ # Its own; those of its cluster are in the metadata.
  risk?: Risk
  needs?: [release]1+ # Releases of the plan that migrate before it.
  notes?: [Reason]1+ # Reported, hold nothing.
  decisions?: [Decision]1+ # What policies decided. A run does at most this.
Chart
  name: string
  version: string
Risk # A score with its parts.
  score: u32 # The sum.
  dependents?: 0..255
  replicas?: 0..255
  tier?: 0..255
  drift?: 0..255
  hooks?: 0..255
  age?: 0..255
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
  subject: 'active' | 'latent' | 'drop' | 'owned' | 'drift' | 'dead'
  field: string
  owner?: string
  action: Action
  rule?: RuleRef # None is the default.
  refused?: string # Why it is not done after all.
  irreversible?: bool # It is done, and no undo takes it back.
RuleRef
  place: string # fleet.toml:20
  why?: string
Action = 'adopt-live' | 'yield' | 'take' | 'hold' | 'retry' | 'fail' | 'repair' | 'let-go' | 'prune-next' | 'pin' | 'prune' | 'shed'
Held # A release that the plan does not touch.
  release: release
  outcome: 'NeedsChoice' | 'Blocked' | 'Ready' # Ready if only a release that it needs is held.
  reasons: [Reason] # Gravest first.
  until?: string # What would set it free.
Untested # A signature that the first wave does not show.
  signature: string
  wave: u32 # The wave that shows it first.
  first: release # The release that shows it first there.
  releases: u32 # Releases that have it.
  why: string # Why no canary shows it.
Calendar # When a plan is done.
  done?: time # The last wave has soaked; absent if some wave never gets its window.
  slackDays?: integer # To the end of the deadline's day; negative is late.
  writingSeconds: long
  late?: [Late]1+
Late # A wave that misses the deadline.
  wave: u32
  releases: u32
  clusters: [string]
  done?: time # Absent is never.
Relaxation # A change of settings that makes the plan sooner done.
  change: [string]
  done: date
  gainDays: integer
  inTime: bool # Is the deadline kept with it?
Summary
  migrate: u32
  needsChoice: u32
  blocked: u32
  waiting?: u32 # Ready, but held because one that they need is.
  done: u32
  objects: u32
  writes: u32
  valueChanges: u32 # Always 0 in mode adopt.
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
  kind?: [string]1+
  field?: [string]1+
  owner?: [string]1+
  namespace?: [string]1+
  labels?: {string}+
  chart?: [string]1+
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
  seed: long
Stage
  name: string
  selector: string
  cut: 'whole' | CutSizes | CutDoubling | CutShares
CutSizes
  sizes: [SizeCount | SizePercent]
SizeCount
  count: u32
SizePercent
  percent: 0..255
CutDoubling
  doubling: Doubling
Doubling
  first: u32
CutShares
  shares: [0..255]
NoCanary
  type: 'none'
CoverageCanary
  type: 'coverage'
  selector: string
  maxRisk: u32 | null
  maxReleases: u32 | null
Cap
  name: string
  count: 'releases' | 'clusters'
  per: string
  atMost: u32
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
  high: u32
  low: u32
  order: 'lowFirst' | 'highFirst'
  deferLowUntil: date | null
Weights
  dependents: 0..255
  replicas: 0..255
  drift: 0..255
  hooks: 0..255
  age: 0..255
  tiers: {0..255}
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
  forSeconds: u32
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
  seconds: u32
Gate
  name: string
  after?: [string]1+
  check: Health | ConflictRate | Ownership | Http | Prometheus | Command | Plugin
Health
  type: 'health'
  withinSeconds: u32
ConflictRate
  type: 'conflictRate'
  atMost: 0..65535 # In hundredths of a percent.
Ownership
  type: 'ownership'
Http
  type: 'http'
  url: string
  status: 0..65535
Prometheus
  type: 'prometheus'
  url: string
  query: string
Command
  type: 'command'
  argv: [string]
  timeoutSeconds: u32
Plugin
  type: 'plugin'
  name: string
Budget # Per wave; absent is without a bound.
  failed?: u32
  undone?: u32
  conflictRate?: 0..65535 # In hundredths of a percent.
  spent: 'stop' | 'undo-cluster' | 'undo-wave'
Cost
  millisPerWrite: u32
  measured?: {u32}+ # By cluster.
";
