//! A development node with a Rollup, and a sequencer that a test can read: pages over a state, batches of them.

use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::admission;
use chartroll_core::batch::{Header, Mode, calldata_reference};
use chartroll_core::codes::{Action, Category, OrgPolicy, Outcome, Purpose, Role};
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::{self, Envelope};
use chartroll_core::event::{Access, Codes, Event, PatientOpen, PrincipalAdd};
use chartroll_core::key::Key;
use chartroll_core::limits::SLOTS_PER_PERIOD;
use chartroll_core::mask::{PeriodSecret, mask, period_root};
use chartroll_core::overlay::Overlay;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::{Admin, QueueItem};
use chartroll_core::receipt::{Place, Receipt, group_receipts, group_root};
use chartroll_core::row::Table;
use chartroll_core::rows::{Commit, Rows};
use chartroll_core::state::State;
use chartroll_core::time::Time;
use chartroll_core::transition::{self, Execution};
use chartroll_l1::dev::{Dev, Mining};
use chartroll_l1::{
    Account, At, Blobs, Call, Calls, Event as L1Event, Intent, MemoryStore, Parameters, Reader, Sender, SenderConfig,
    Update, Watcher, call_and_wait, deploy,
};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use std::sync::Arc;
use std::time::Duration;

/// Nothing here takes so long; a test that waits longer has failed.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);
/// Seconds in which a batch can be convicted.
pub(crate) const WINDOW: u64 = 3_600;
/// Rows that [`World::staffed`] makes.
pub(crate) const ADMIN: u32 = 1;
pub(crate) const SYSTEM: u32 = 2;

pub(crate) struct World {
    pub(crate) dev: Dev,
    pub(crate) reader: Reader,
    pub(crate) start_block: u64,
    pub(crate) state: State,
    /// State after each batch that was posted, genesis first.
    pub(crate) states: Vec<State>,
    watcher: Watcher,
    pub(crate) items: Vec<QueueItem>,
    masked: bool,
    /// Which of the node's accounts is in office.
    poster: usize,
}

/// The secret of every period of these tests.
pub(crate) const SECRET: [u8; 32] = [8; 32];

fn secret_key(label: &str) -> secp256k1::SecretKey {
    secp256k1::SecretKey::from_secret_bytes(keccak256(label).0).unwrap()
}

fn address(label: &str) -> Address {
    let point = secp256k1::PublicKey::from_secret_key(&secret_key(label)).serialize_uncompressed();
    Address::from_word(keccak256(&point[1..]))
}

fn key(label: &str) -> Key {
    Key::Secp256k1(address(label))
}

fn sign(label: &str, digest: &B256) -> [u8; 64] {
    let message = secp256k1::Message::from_digest(digest.0);
    let signature = RecoverableSignature::sign_ecdsa_recoverable(message, &secret_key(label));
    let (id, mut bytes) = signature.serialize_compact();
    if id == RecoveryId::One {
        bytes[32] |= 0x80;
    }
    bytes
}

impl World {
    /// A Rollup with one org and a sequencer in office; nothing posted.
    pub(crate) async fn new(masked: bool) -> Self {
        let dev = Dev::start(Mining::Auto).await.unwrap();
        let owner = dev.accounts()[0].clone();
        let parameters = Parameters {
            masked,
            window: WINDOW,
            clock_past: WINDOW,
            exit_delay: 2 * WINDOW,
            overdue_age: 24 * WINDOW,
            ..Parameters::development(State::genesis().root(), owner.address())
        };
        let deployment = deploy(dev.endpoints(), &owner, &parameters, LIMIT).await.unwrap();
        let reader = Reader::connect(&dev.config(deployment.contract)).await.unwrap();
        let start_block = deployment.block.number;
        let watcher = Watcher::from_block(reader.clone(), start_block);
        let (state, states) = (State::genesis(), vec![State::genesis()]);
        let mut world = Self { dev, reader, start_block, state, states, watcher, items: vec![], masked, poster: 1 };
        world.register_org("aare", world.sequencer().address()).await;
        let call = world.calls().bond(address("receipts"), parameters.bond);
        world.call(&world.sequencer(), call).await;
        if masked {
            let call = world.calls().register_period(0, world.period_root());
            world.call(&owner, call).await;
            world.dev.pass(parameters.period_objection + 1).await.unwrap();
            world.dev.mine(1).await.unwrap();
        }
        world
    }

    /// As [`Self::new`], with two batches: the org and its admin, then a system and ten patients.
    pub(crate) async fn staffed(masked: bool) -> Self {
        let mut world = Self::new(masked).await;
        let page = world.item_page();
        world.post(&[page], |_| {}).await;
        let pages = world.people();
        world.post(&pages, |_| {}).await;
        world
    }

    pub(crate) fn chain(&self) -> Chain {
        *self.reader.chain()
    }

    pub(crate) fn calls(&self) -> Calls {
        Calls::new(self.chain().contract())
    }

    pub(crate) fn sequencer(&self) -> Account {
        self.dev.accounts()[self.poster].clone()
    }

    pub(crate) async fn call(&self, account: &Account, call: Call) {
        call_and_wait(self.dev.endpoints(), account, call, LIMIT).await.unwrap();
    }

    /// The root of period 0's page keys under [`SECRET`].
    pub(crate) fn period_root(&self) -> B256 {
        let leaves = PeriodSecret::new(SECRET).period_leaves(self.chain().chain_id(), &self.chain().contract(), 0);
        period_root(&leaves).unwrap()
    }

    /// Puts an item into L1's queue.
    pub(crate) async fn register_org(&mut self, label: &str, account: Address) {
        let admin = Admin { key: key(&format!("admin {label}")), sealing_key: keccak256(label), tag: keccak256(label) };
        let name = keccak256(label);
        let call = self.calls().register_org(account, OrgPolicy::Implied, name, name, &admin);
        self.call(&self.dev.accounts()[0].clone(), call).await;
        self.hear().await;
    }

    /// Reads the queue from L1.
    pub(crate) async fn hear(&mut self) {
        while let Some(update) = self.watcher.poll().await.unwrap() {
            let Update::Blocks { events, .. } = update else { continue };
            for event in events {
                if let L1Event::ItemEnqueued(item) = event {
                    self.items.truncate(usize::try_from(item.index).unwrap());
                    self.items.push(item.item);
                }
            }
        }
    }

    /// A clock for the next page: not before the last page's, nor before L1's.
    pub(crate) async fn clock(&self) -> Time {
        let block = self.reader.tips().await.unwrap().latest.clock();
        block.max(self.state.meta().unwrap().clock)
    }

    /// The page that takes the next item of the queue.
    pub(crate) fn item_page(&mut self) -> Page {
        let item = self.items[usize::try_from(self.state.meta().unwrap().cursor).unwrap()].clone();
        let clock = item.time.max(self.state.meta().unwrap().clock);
        let page = Page::build(&B256::ZERO, clock, item.kind, item.body.as_slice()).unwrap();
        self.apply(&page, Some(&item))
    }

    /// A page of envelopes.
    pub(crate) fn page(&mut self, clock: Time, envelopes: &[Vec<u8>]) -> Page {
        let page = Page::build(&B256::ZERO, clock, PageKind::Normal, &envelopes.concat()).unwrap();
        self.apply(&page, None)
    }

    /// Applies a page, and returns it with the root it leads to.
    pub(crate) fn apply(&mut self, page: &Page, item: Option<&QueueItem>) -> Page {
        match transition::execute(&self.state, &self.chain(), page, item).unwrap() {
            Execution::Applied { changes, .. } => {
                let root = self.state.commit(&changes).unwrap();
                page.clone().with_claimed_root(&root)
            }
            Execution::Invalid { why, .. } => panic!("INVALID: {why}"),
        }
    }

    /// A signed envelope at the state as it is.
    pub(crate) fn envelope(&self, signer: u32, label: &str, clock: Time, events: &[Event]) -> Vec<u8> {
        let principal = *self.state.principal(signer).unwrap();
        let (nonce, base_time) = (principal.nonce, clock);
        let head = envelope::Head { signer, nonce, base_time, payloads_root: B256::repeat_byte(3), signature: [0; 64] };
        let timed: Vec<(Time, Event)> = events.iter().map(|event| (clock, event.clone())).collect();
        let mut bytes = envelope::encode(&head, &timed).unwrap();
        let envelope = Envelope::decode(&bytes).unwrap();
        let mut overlay = Overlay::new(&self.state).unwrap();
        let identities = admission::identities(&mut overlay, principal.org, &envelope).unwrap();
        let digest = admission::signing_digest(&self.chain(), &envelope, principal.role, &identities).unwrap();
        envelope::set_signature(&mut bytes, &sign(label, &digest));
        bytes
    }

    /// Pages that add a system and open ten patients.
    pub(crate) fn people(&mut self) -> Vec<Page> {
        let clock = self.state.meta().unwrap().clock;
        let add = PrincipalAdd {
            role: Role::System,
            key: key("system"),
            sealing_key: B256::ZERO,
            tag: keccak256("system"),
            valid_from: Time::ZERO,
            valid_until: Time::ZERO,
        };
        let envelope = self.envelope(ADMIN, "admin aare", clock, &[Event::PrincipalAdd(Box::new(add))]);
        let mut pages = vec![self.page(clock, &[envelope])];
        for number in 0..10u8 {
            let pseudonym = B256::repeat_byte(number + 1);
            let open = Event::PatientOpen(PatientOpen { pseudonym, controller: 0 });
            let envelope = self.envelope(SYSTEM, "system", clock, &[open]);
            pages.push(self.page(clock, &[envelope]));
        }
        pages
    }

    /// A page of accesses to every patient, or without envelopes where there is nobody to sign yet.
    pub(crate) async fn accesses(&mut self) -> Page {
        let clock = self.clock().await;
        let patients = self.state.meta().unwrap().counts.of(Table::Patients);
        let codes = Codes {
            action: Action::new(2).unwrap(),
            outcome: Outcome::new(1).unwrap(),
            purpose: Purpose::new(54).unwrap(),
            category: Category::new(8).unwrap(),
        };
        let access = |patient| Event::Access(Access { patient, actor: SYSTEM, consent: 0, codes });
        let events: Vec<Event> = (1..patients).map(access).collect();
        let envelopes = if events.is_empty() { vec![] } else { vec![self.envelope(SYSTEM, "system", clock, &events)] };
        self.page(clock, &envelopes)
    }

    /// `count` pages, the first with accesses, the others without envelopes.
    pub(crate) async fn pages(&mut self, count: usize) -> Vec<Page> {
        let mut pages = vec![self.accesses().await];
        let clock = self.state.meta().unwrap().clock;
        pages.extend((1..count).map(|_| self.page(clock, &[])));
        pages
    }

    /// The header of the next batch of `pages`, as the state has it.
    pub(crate) async fn header(&self, pages: usize) -> Header {
        let head = self.reader.head(At::Latest).await.unwrap();
        let meta = self.state.meta().unwrap();
        let masked = self.masked && self.reader.is_ripe(head.slot / SLOTS_PER_PERIOD, At::Latest).await.unwrap();
        Header {
            mode: Mode { blobs: false, masked },
            data_reference: B256::ZERO,
            parent: head.content_hash,
            number: head.number + 1,
            epoch: head.epoch,
            slot: head.slot,
            pages: u16::try_from(pages).unwrap(),
            post_root: self.state.root(),
            clock: meta.clock,
            next_sequence: meta.next_sequence,
            cursor: meta.cursor,
        }
    }

    /// Posts pages as the next batch, the header changed by `lie`; with `mode.blobs` set there, in blobs.
    pub(crate) async fn post(&mut self, pages: &[Page], lie: impl FnOnce(&mut Header)) -> (Header, Option<Arc<Blobs>>) {
        let mut header = self.header(pages.len()).await;
        lie(&mut header);
        let as_posted = self.as_posted(&header, pages);
        let blobs = if header.mode.blobs {
            let of = as_posted.clone();
            Some(Arc::new(tokio::task::spawn_blocking(move || Blobs::of_pages(&of)).await.unwrap().unwrap()))
        } else {
            None
        };
        header.data_reference = match &blobs {
            Some(blobs) => blobs.data_reference(),
            None => calldata_reference(&as_posted).unwrap(),
        };
        let call = match &blobs {
            Some(_) => self.calls().post_blobs(&header),
            None => self.calls().post_calldata(&header, &as_posted),
        };
        self.send(header.content_hash(), call, blobs.clone()).await;
        self.states.push(self.state.clone());
        (header, blobs)
    }

    pub(crate) async fn send(&self, key: B256, call: Call, blobs: Option<Arc<Blobs>>) {
        let config = SenderConfig { bump_ms: 3_600_000, poll_ms: 50, ..SenderConfig::default() };
        let (endpoints, store) = (self.dev.endpoints().clone(), Arc::new(MemoryStore::default()));
        let sender = Sender::open(endpoints, self.sequencer(), store, config).await.unwrap();
        sender.submit(Intent { key, call, blobs, gas_limit: None }).await.unwrap();
        sender.wait(&key, LIMIT).await.unwrap();
    }

    /// Pages as L1 gets them.
    pub(crate) fn as_posted(&self, header: &Header, pages: &[Page]) -> Vec<Page> {
        if !header.mode.masked {
            return pages.to_vec();
        }
        let (chain, secret) = (self.chain(), PeriodSecret::new(SECRET));
        let key = |number| secret.page_key(chain.chain_id(), &chain.contract(), header.slot, number);
        (0u32..).zip(pages).map(|(number, page)| mask(page, &key(number))).collect()
    }

    /// A receipt for a place, signed with the key of whoever is called `signer`; the sequencer's is "receipts".
    pub(crate) fn receipt(&self, place: Place, signer: &str) -> Receipt {
        let root = group_root(&[place]).unwrap();
        let signature = sign(signer, &self.chain().receipt_digest(place.epoch, &root));
        group_receipts(&[place], &signature).remove(0)
    }

    /// Another org's account leaves a bond, and posts from now on.
    pub(crate) async fn bond_another(&mut self) {
        self.poster += 1;
        let (account, bond) = (self.sequencer(), self.reader.parameters().bond);
        self.register_org(&format!("org {}", self.poster), account.address()).await;
        self.call(&account, self.calls().bond(Address::repeat_byte(8), bond)).await;
    }

    /// Goes back to the state after batch `number`.
    pub(crate) fn go_back(&mut self, number: usize) {
        self.states.truncate(number + 1);
        self.state = self.states[number].clone();
    }
}
