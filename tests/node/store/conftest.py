"""Assertions in the shared contract are shown in full."""

import pytest

pytest.register_assert_rewrite(
    *("store_contract", "store_contract_rows", "store_contract_grants", "store_contract_links"),
    *(
        "store_contract_devices",
        "store_contract_events",
        "store_contract_keys",
        "store_contract_looking",
        "store_contract_moving",
        "store_rows",
    ),
)
