//! Public keys that were given in chat.

use jitbot::domain::directory::KeyRow;
use jitbot::domain::public_key::PublicKey;

use crate::world::{World, account, at, worlds};

fn new_key() -> PublicKey {
    let key =
        ssh_key::PrivateKey::random(&mut ssh_key::rand_core::OsRng, ssh_key::Algorithm::Ed25519);
    PublicKey::parse(&key.unwrap().public_key().to_openssh().unwrap()).unwrap()
}

async fn keep(world: &World, of: u32, row: KeyRow) {
    world
        .write(move |tx| Box::pin(async move { tx.keep_key(&account(of), &row).await }))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_account_has_the_key_that_it_gave_last_until_it_is_forgotten() {
    for world in worlds().await {
        let given = |key: &PublicKey, s| KeyRow {
            key: Some(key.clone()),
            changed_at: at(s),
        };
        let (first, second, other) = (new_key(), new_key(), new_key());
        keep(&world, 1, given(&first, 1)).await;
        keep(&world, 2, given(&other, 2)).await;
        keep(&world, 1, given(&second, 3)).await;
        let asked = [account(1), account(3)];
        let known = world.reader().await.known(&asked).await.unwrap();
        let kept: Vec<_> = known.keys.into_iter().collect();
        assert_eq!(kept, [(account(1), given(&second, 3))], "of nobody else");
        for (key, owners) in [
            (&first, vec![]),
            (&second, vec![account(1)]),
            (&other, vec![account(2)]),
        ] {
            let found = world.reader().await.key_owners(key).await.unwrap();
            assert_eq!(found, owners);
        }
        let forgotten = KeyRow {
            key: None,
            changed_at: at(4),
        };
        keep(&world, 1, forgotten.clone()).await;
        let known = world.reader().await.known(&asked).await.unwrap();
        assert_eq!(known.keys[&account(1)], forgotten, "when is remembered");
        assert!(
            world
                .reader()
                .await
                .key_owners(&second)
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            world.reader().await.key_owners(&other).await.unwrap(),
            [account(2)]
        );
    }
}
