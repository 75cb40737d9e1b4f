//! The rows for ListUsers, with the same values as peers/users.ts.

use crate::messages::{Address, ListUsersResponse, User};

pub struct UserRow {
    id: String,
    name: String,
    email: String,
    roles: Vec<String>,
    is_active: bool,
    created_at_seconds: u32,
    street: String,
}

pub fn user_rows() -> Vec<UserRow> {
    (0..20)
        .map(|index: u32| UserRow {
            id: format!("0f8fad5b-d9cb-469f-a165-7086772895{index:02}"),
            name: format!("Ada Lovelace {index:02}"),
            email: format!("ada.lovelace.{index:02}@example.com"),
            roles: if index % 4 == 0 {
                vec!["member".into(), "admin".into()]
            } else {
                vec!["member".into()]
            },
            is_active: index % 5 != 0,
            created_at_seconds: 1_700_000_000 + index * 86_400,
            street: format!("{index:02} Ockham Park Lane"),
        })
        .collect()
}

/// Builds the messages of a response, like a handler from the rows of a query.
pub fn list_users(rows: &[UserRow], page_size: u32) -> ListUsersResponse {
    let users = rows
        .iter()
        .take(page_size as usize)
        .map(|row| User {
            id: row.id.clone(),
            name: row.name.clone(),
            email: row.email.clone(),
            roles: row.roles.clone(),
            is_active: row.is_active,
            created_at_seconds: row.created_at_seconds,
            address: Some(Address {
                street: row.street.clone(),
                city: "London".into(),
                postal_code: "SW1Y 4JH".into(),
                country_code: "GB".into(),
            }),
            time_zone: "Europe/London".into(),
            locale: "en-GB".into(),
        })
        .collect();
    ListUsersResponse { users, total: rows.len() as u32 }
}
